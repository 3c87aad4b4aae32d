// SPDX-License-Identifier: BSL-1.0
// The networks that the host quantises and the boards run (int8_weights.cpp, int8.cpp).
#pragma once

#include <tenon/model/int8.hpp>

using Perceptron = tenon::Network<tenon::Input<784>, tenon::Dense<128>, tenon::ReLU, tenon::Dense<10>, tenon::Softmax>;

// Every layer that has an int8 form, with strides, padding, groups and sizes that fill no register.
using Everything = tenon::Network<
    tenon::Input<15, 13, 3>, tenon::Conv2D<8, tenon::Kernel<3>, tenon::Padding<tenon::Same>>, tenon::ReLU,
    tenon::MaxPool2D<2>,
    tenon::Residual<tenon::Conv2D<8, tenon::Kernel<3>, tenon::Padding<tenon::Same>>, tenon::ReLU,
                    tenon::Conv2D<8, tenon::Kernel<1>>>,
    tenon::ReLU, tenon::DepthwiseConv2D<tenon::Kernel<3>, tenon::Padding<tenon::Same>>, tenon::ReLU,
    tenon::Concat<tenon::Sequential<tenon::Conv2D<5, tenon::Kernel<1>>, tenon::ReLU>,
                  tenon::Sequential<tenon::Conv2D<6, tenon::Kernel<3>, tenon::Padding<tenon::Same>, tenon::Groups<2>>,
                                    tenon::Tanh>,
                  tenon::MaxPool2D<3, tenon::Stride<1>, tenon::Padding<tenon::Same>>>,
    tenon::AveragePool2D<2, tenon::Stride<1>>,
    tenon::Add<tenon::Conv2D<7, tenon::Kernel<2>, tenon::Stride<2>>,
               tenon::Conv2D<7, tenon::Kernel<2>, tenon::Stride<2>, tenon::NoBias>>,
    tenon::Repeat<2, tenon::Sequential<tenon::Conv2D<7, tenon::Kernel<1>>, tenon::SiLU>>, tenon::GlobalAveragePool2D,
    tenon::Dense<9>, tenon::Sigmoid, tenon::Reshape<3, 3>, tenon::Conv1D<4, tenon::Kernel<2>>, tenon::MaxPool1D<2>,
    tenon::Flatten, tenon::Dense<5>, tenon::Softmax>;
