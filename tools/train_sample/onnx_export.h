// The trained network as an ONNX model with BatchNormalization and Clip as nodes of their own.
#pragma once

#include "core/graph/graph.h"
#include "tools/train_sample/network.h"

core::Model toOnnxModel(const SampleNetworkImpl &network);
