// Precompiled header of core_engine: ATen alone, because LibTorch's whole front header costs every file 5 s even precompiled.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
