// SPDX-License-Identifier: BSL-1.0
// The network that a program of this folder is compiled for, chosen by NETWORK: MLP (the default), CNN or RESNET8.
#pragma once

#define MLP 1
#define CNN 2
#define RESNET8 3
#ifndef NETWORK
#    define NETWORK MLP
#endif

#if NETWORK == RESNET8
#    include <tenon/zoo/mlperf_tiny.hpp>
using Net = tenon::zoo::ResNet8;
#elif NETWORK == CNN
using Net = tenon::Network<tenon::Input<28, 28, 1>,                                                //
                           tenon::Conv2D<32, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,  //
                           tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,  //
                           tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::Flatten,       //
                           tenon::Dense<64>, tenon::ReLU, tenon::Dense<10>, tenon::Softmax>;
#else
using Net = tenon::Network<tenon::Input<784>, tenon::Dense<128>, tenon::ReLU, tenon::Dense<10>, tenon::Softmax>;
#endif
