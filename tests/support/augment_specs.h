// Augmentations that tests share.
#pragma once

#include "core/spec/training.h"

namespace tests {

inline core::AugmentSpec nothing()
{
    core::AugmentSpec spec;
    spec.randomResizedCrop = spec.flip = false;
    return spec;
}

inline core::AugmentSpec everything()
{
    core::AugmentSpec spec;
    spec.brightness = spec.contrast = spec.saturation = 0.4;
    spec.shift = 2;
    return spec;
}

} // namespace tests
