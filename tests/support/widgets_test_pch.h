#pragma once

#include <QtCharts>
#include <QtTest>
#include <QtWidgets>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>
