// Precompiled header of the engine tests.
#pragma once

#include <torch/torch.h>

#include <QtTest/QtTest>
