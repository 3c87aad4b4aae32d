// SPDX-License-Identifier: BSL-1.0
//
// Shows that the board's exit status arrives: without this, a runner that always says 0 would look like success.
int constructed = 0;

struct Constructed {
    Constructed() { constructed = 3; }
} instance;

int main() { return constructed; }
