#pragma once

#include <QtCharts>
#include <QtWidgets>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
