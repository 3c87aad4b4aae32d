// SPDX-License-Identifier: BSL-1.0
// The names that Arduino's cores give macros, as a sketch has them before its first line.
#pragma once

#include <cmath>
#include <cstdlib>

#define abs(x) ((x) > 0 ? (x) : -(x))
#define bit(b) (1UL << (b))
#define bitRead(value, b) (((value) >> (b)) & 0x01)
#define constrain(amt, low, high) ((amt) < (low) ? (low) : ((amt) > (high) ? (high) : (amt)))
#define degrees(rad) ((rad)*RAD_TO_DEG)
#define F(text) (text)
#define highByte(w) (static_cast<unsigned char>((w) >> 8))
#define lowByte(w) (static_cast<unsigned char>((w)&0xff))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define radians(deg) ((deg)*DEG_TO_RAD)
#define round(x) ((x) >= 0 ? static_cast<long>((x) + 0.5) : static_cast<long>((x)-0.5))
#define sq(x) ((x) * (x))
#define word(...) (__VA_ARGS__)

#define CHANGE 1
#define DEFAULT 1
#define DEG_TO_RAD 0.01745329
#define DISPLAY 1
#define EULER 2.718281828
#define EXTERNAL 0
#define HALF_PI 1.5707963
#define HIGH 1
#define INPUT 0
#define INTERNAL 3
#define LOW 0
#define LSBFIRST 0
#define MSBFIRST 1
#define OUTPUT 1
#define PI 3.14159265
#define RAD_TO_DEG 57.2957795
#define SERIAL 0
#define TWO_PI 6.2831853
#define B0 0
#define B1 1
#define B00000001 1
