// SPDX-License-Identifier: BSL-1.0
// The two networks of the demo: Keras's first examples for MNIST.
#pragma once

#include <tenon/tenon.hpp>

using Mlp = tenon::Network<tenon::Input<28, 28, 1>, tenon::Flatten, tenon::Dense<128>, tenon::ReLU, tenon::Dense<10>,
                           tenon::Softmax>;

using Cnn = tenon::Network<tenon::Input<28, 28, 1>,                                                //
                           tenon::Conv2D<32, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,  //
                           tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,  //
                           tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::Flatten,       //
                           tenon::Dense<64>, tenon::ReLU, tenon::Dense<10>, tenon::Softmax>;
