// Precompiled header of the engine tests.
#pragma once

#include <ATen/ATen.h>

#include <QtTest/QtTest>
