// Precompiled header of the engine tests.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <QtTest/QtTest>
