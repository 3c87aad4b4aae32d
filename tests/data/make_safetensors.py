#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes dense.safetensors, as somebody else's program would: Dense(3) on 2 inputs, Dense(1) on 3, both with bias.

Nothing but Python's struct and json. Values: kernel[i, j] = 10 i + j, bias[j] = -j - 0.5. Tensors in the order of their
names, keys sorted, no padding: all of it legal, none of it what tenon would write.
"""
import json
import pathlib
import struct

tensors = {}
for name, rows, columns in (("dense_1", 2, 3), ("dense_2", 3, 1)):
    tensors[f"{name}/kernel"] = ((rows, columns), [10.0 * i + j for i in range(rows) for j in range(columns)])
    tensors[f"{name}/bias"] = ((columns,), [-j - 0.5 for j in range(columns)])

header, data = {"__metadata__": {"made by": "struct and json"}}, b""
for name in sorted(tensors):
    shape, values = tensors[name]
    bytes_ = struct.pack(f"<{len(values)}f", *values)
    header[name] = {"data_offsets": [len(data), len(data) + len(bytes_)], "dtype": "F32", "shape": shape}
    data += bytes_
text = json.dumps(header, sort_keys=True).encode()
pathlib.Path(__file__).with_name("dense.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
