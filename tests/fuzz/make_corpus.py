#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the seed corpus of the fuzz targets, with nothing of tenon in it.

Names start with ok- (the reader must take it) or bad- (it must refuse it); tests/unit/corpus.cpp checks both.
What fuzzing adds keeps the name libFuzzer gave it, without either prefix.
"""
import gzip
import json
import pathlib
import struct

here = pathlib.Path(__file__).parent / "corpus"


def put(reader, name, data):
    folder = here / reader
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def idx(kind, extents, data):
    return bytes([0, 0, kind, len(extents)]) + b"".join(struct.pack(">I", e) for e in extents) + data


images = idx(8, [3, 2, 3], bytes(range(0, 180, 10)))
labels = idx(8, [3], bytes([1, 9, 0]))
put("idx", "ok-images", images)
put("idx", "ok-labels", labels)
put("idx", "ok-images.gz", gzip.compress(images, mtime=0))
put("idx", "ok-labels.gz", gzip.compress(labels, mtime=0))
put("idx", "ok-two-members.gz", gzip.compress(images[:20], mtime=0) + gzip.compress(images[20:], mtime=0))
put("idx", "ok-stored.gz", gzip.compress(images, 0, mtime=0))
put("idx", "ok-no-rows", idx(8, [0, 2, 3], b""))
put("idx", "ok-rank-4", idx(8, [1, 2, 3, 1], bytes(6)))
put("idx", "ok-zeros.gz", gzip.compress(idx(8, [64, 28, 28], bytes(64 * 784)), mtime=0))
put("idx", "bad-empty", b"")
put("idx", "bad-magic", b"\x01" + images[1:])
put("idx", "bad-floats", idx(13, [1], struct.pack(">f", 1)))
put("idx", "bad-rank-0", idx(8, [], b""))
put("idx", "bad-cut-header", images[:9])
put("idx", "bad-cut-data", images[:-1])
put("idx", "bad-trailing", images + b"\0")
put("idx", "bad-overflow", idx(8, [2**31, 2**31, 4], b""))
put("idx", "bad-promise", idx(8, [2**32 - 1], b"x"))
put("idx", "bad-promise.gz", gzip.compress(idx(8, [2**32 - 1], b"x"), mtime=0))
put("idx", "bad-cut.gz", gzip.compress(images, mtime=0)[:-5])
put("idx", "bad-sum.gz", gzip.compress(images, mtime=0)[:-8] + b"\0" * 4 + struct.pack("<I", len(images)))
put("idx", "bad-after.gz", gzip.compress(images, mtime=0) + b"rest")
put("idx", "bad-gz-twice.gz", gzip.compress(gzip.compress(images, mtime=0), mtime=0))


def safetensors(header, data=b"", pad=0):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * pad
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


two = {"__metadata__": {"format": "pt"}, "a": tensor("F32", [2, 2], 0, 16), "b": tensor("I64", [], 16, 24)}
put("safetensors", "ok-two", safetensors(two, bytes(24)))
put("safetensors", "ok-padded", safetensors(two, bytes(24), pad=7))
put("safetensors", "ok-empty", safetensors({}))
put("safetensors", "ok-zero-extent", safetensors({"z": tensor("F16", [3, 0], 0, 0)}))
put("safetensors", "ok-out-of-order", safetensors({"b": tensor("U8", [1], 1, 2), "a": tensor("U8", [1], 0, 1)}, b"xy"))
put("safetensors", "ok-sub-byte", safetensors({"q": tensor("F4", [4], 0, 2), "r": tensor("F6_E3M2", [4], 2, 5)}, bytes(5)))
put("safetensors", "ok-names", safetensors({"": tensor("BOOL", [], 0, 1), "é\"\\\n😀": tensor("U8", [], 1, 2)}, b"\1\2"))
put("safetensors", "ok-utf8", safetensors('{"é😀":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}'.encode(), b"x"))
put("safetensors", "bad-empty", b"")
put("safetensors", "bad-cut-length", b"\2\0\0")
put("safetensors", "bad-length", struct.pack("<Q", 2**63) + b"{}")
put("safetensors", "bad-length-one-over", struct.pack("<Q", 3) + b"{}")
put("safetensors", "bad-cut-data", safetensors(two, bytes(23)))
put("safetensors", "bad-trailing", safetensors(two, bytes(25)))
put("safetensors", "bad-overlap", safetensors({"a": tensor("U8", [2], 0, 2), "b": tensor("U8", [2], 1, 3)}, bytes(3)))
put("safetensors", "bad-hole", safetensors({"a": tensor("U8", [1], 0, 1), "b": tensor("U8", [1], 2, 3)}, bytes(3)))
put("safetensors", "bad-overflow", safetensors({"a": tensor("F32", [2**62, 4], 0, 0)}))
put("safetensors", "bad-size", safetensors({"a": tensor("F32", [2], 0, 4)}, bytes(4)))
put("safetensors", "bad-dtype", safetensors({"a": tensor("F33", [1], 0, 4)}, bytes(4)))
put("safetensors", "bad-negative", safetensors({"a": tensor("U8", [-1], 0, 1)}, bytes(1)))
put("safetensors", "bad-nan", safetensors(b'{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,0]}}'))
put("safetensors", "bad-infinity", safetensors(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,Infinity]}}'))
put("safetensors", "bad-float", safetensors(b'{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', b"x"))
put("safetensors", "bad-duplicate", safetensors(
    b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'))
put("safetensors", "bad-duplicate-escaped", safetensors(
    b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'))
put("safetensors", "bad-space-first", safetensors(b" {}"))
put("safetensors", "bad-after-nul", safetensors(b"{}\0{}"))
put("safetensors", "bad-array", safetensors(b"[]"))
put("safetensors", "bad-metadata", safetensors({"__metadata__": {"k": 1}}))
put("safetensors", "bad-utf8", safetensors(b'{"__metadata__":{"\xc0\x80":""}}'))
put("safetensors", "bad-surrogate", safetensors(b'{"__metadata__":{"\\ud800":""}}'))
put("safetensors", "bad-nested", safetensors(b'{"a":' * 500))
put("safetensors", "bad-field", safetensors({"a": {**tensor("U8", [0], 0, 0), "strides": [1]}}))

put("csv", "ok-numbers", b"a,b,c\n1,2,3\n-4.5,5e-1,6\n")
put("csv", "ok-crlf", b"\xef\xbb\xbf\"a\",\"b\"\"\",c\r\n1, 2 ,\"3\"\r\n\r\n4,5,6")
put("csv", "ok-classes", b"a,b,c\n1,2,yes\n3,4,no\n")
put("csv", "ok-semicolons", b"a;c\n1;2\n")
put("csv", "ok-no-header", b"1,2,0\n3,4,1\n")
put("csv", "ok-lines-in-quotes", b"a,\"b\nb\",c\n1,2,3\n")
put("csv", "bad-empty", b"")
put("csv", "bad-open-quote", b"a,b,\"c\n1,2,3\n")
put("csv", "bad-ragged", b"a,b,c\n1,2\n")
put("csv", "bad-quote-inside", b"a,b,c\n1,2\"2,3\n")
put("csv", "bad-after-quote", b"a,b,\"c\"d\n")
put("csv", "bad-nan", b"a,b,c\n1,nan,3\n")
put("csv", "bad-huge", b"a,b,c\n1,1e400,3\n")
put("csv", "bad-nul", b"\0,\0,\0\n\0")
