"""
Error rates by an independent program: NumPy for the network (read from its ONNX file by the few lines below), Pillow for the pictures. Prints one JSON object with the top-1 and top-5 errors of the
centre crop and of ten crops. With `--pixels`, the raw centre crops as Switchback decodes them (`[N, 224, 224, 3]` bytes, in the order of the labels), the centre's number is exactly that of
`switchback experiment error`; tests/corpus/experiments.test.ts asks it so. Pillow's own pixels are the same where a picture is enlarged and differ by a level or two where it is reduced, which
moves the number by two pictures of 334. Knows the operators of SqueezeNet.

    python3 errorRates.py MODEL.onnx IMAGES LABELS.tsv [--centre] [--pixels CROPS.bin]
"""
import io
import json
import os
import struct
import sys

import numpy as np

SHORTER, CROP = 256, 224
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def fields(data):
    """Number, wire type and value of each field of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 5:
            value, at = data[at:at + 4], at + 4
        else:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, kind, value


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def integers(kind, value):
    if kind == 0:
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = varint(value, at)
        found.append(one)
    return found


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def tensor(data):
    shape, kind, raw, floats, longs, name = [], 1, b"", b"", [], ""
    for number, wire, value in fields(data):
        if number == 1:
            shape += integers(wire, value)
        elif number == 2:
            kind = value
        elif number == 4:
            floats += bytes(value)
        elif number == 7:
            longs += [signed(each) for each in integers(wire, value)]
        elif number == 8:
            name = bytes(value).decode()
        elif number == 9:
            raw = bytes(value)
    if kind == 7:
        return name, np.frombuffer(raw, "<i8") if raw else np.array(longs, np.int64)
    return name, np.frombuffer(raw or floats, "<f4").reshape(shape)


def node(data):
    inputs, outputs, op, attributes = [], [], "", {}
    for number, _, value in fields(data):
        if number == 1:
            inputs.append(bytes(value).decode())
        elif number == 2:
            outputs.append(bytes(value).decode())
        elif number == 4:
            op = bytes(value).decode()
        elif number == 5:
            name, found = "", []
            for inner, kind, part in fields(value):
                if inner == 1:
                    name = bytes(part).decode()
                elif inner == 2:
                    found = [struct.unpack("<f", part)[0]]
                elif inner in (3, 8):
                    found += [signed(each) for each in integers(kind, part)]
            attributes[name] = found
    return op, inputs, outputs, attributes


def read_network(path):
    with open(path, "rb") as file:
        data = memoryview(file.read())
    graph = next(value for number, _, value in fields(data) if number == 7)
    nodes = [node(value) for number, _, value in fields(graph) if number == 1]
    weights = dict(tensor(value) for number, _, value in fields(graph) if number == 5)
    inputs = [bytes(part).decode() for number, _, value in fields(graph) if number == 11 for inner, _, part in fields(value) if inner == 1]
    return nodes, weights, next(name for name in inputs if name not in weights)


def windows(x, size, strides, pads, fill):
    """[N, C, rows, columns, size, size] of padded x."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, size, (2, 3))
    return view[:, :, ::strides[0], ::strides[1]]


def run(network, images):
    nodes, weights, image = network
    values = {**weights, image: images}
    for op, inputs, outputs, given in nodes:
        x = values[inputs[0]] if inputs else None
        pads, strides = given.get("pads", [0, 0, 0, 0]), given.get("strides", [1, 1])
        if op == "Conv":
            w = values[inputs[1]]
            view = windows(x, w.shape[2:], strides, pads, 0)
            n, _, rows, columns = view.shape[:4]
            flat = view.transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, -1)
            y = (flat @ w.reshape(len(w), -1).T).reshape(n, rows, columns, -1).transpose(0, 3, 1, 2)
            if len(inputs) > 2:
                y = y + values[inputs[2]].reshape(1, -1, 1, 1)
        elif op == "Relu":
            y = np.maximum(x, 0)
        elif op == "MaxPool":
            y = windows(x, given["kernel_shape"], strides, pads, -np.inf).max((4, 5))
        elif op == "Concat":
            y = np.concatenate([values[name] for name in inputs], given["axis"][0])
        elif op in ("GlobalAveragePool", "AveragePool"):
            y = x.mean((2, 3), keepdims=True) if op[0] == "G" else windows(x, given["kernel_shape"], strides, pads, 0).mean((4, 5))
        elif op in ("Reshape", "Flatten"):
            y = x.reshape(len(images), -1)
        elif op in ("Dropout", "Identity"):
            y = x
        elif op == "Constant":
            continue
        else:
            sys.exit(f"errorRates.py knows no {op}")
        values[outputs[0]] = np.ascontiguousarray(y)
    return values[nodes[-1][2][0]].reshape(len(images), -1)


def read_picture(path):
    """Upright, sRGB, three channels, shorter side 256 (longer rounded), bicubic."""
    from PIL import Image, ImageCms, ImageOps

    with Image.open(path) as file:
        profile = file.info.get("icc_profile")
        picture = ImageOps.exif_transpose(file)
        if profile and picture.mode == "RGB":
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            picture = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC)
        picture = picture.convert("RGB")
    width, height = picture.size
    shorter = min(width, height)
    size = (int(width * SHORTER / shorter + 0.5), int(height * SHORTER / shorter + 0.5))
    return np.asarray(picture if size == picture.size else picture.resize(size, Image.Resampling.BICUBIC))


def crops(pixels, only_centre):
    height, width = pixels.shape[:2]
    places = [((height - CROP) // 2, (width - CROP) // 2)]
    if not only_centre:
        places += [(0, 0), (0, width - CROP), (height - CROP, 0), (height - CROP, width - CROP)]
    parts = []
    for top, left in places:
        part = pixels[top:top + CROP, left:left + CROP]
        parts += [part] if only_centre else [part, part[:, ::-1]]
    values = (np.stack(parts).astype(np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def probabilities(scores):
    powers = np.exp(scores.astype(np.float64) - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def main(model, folder, labels, *options):
    given = np.fromfile(options[options.index("--pixels") + 1], np.uint8).reshape(-1, CROP, CROP, 3) if "--pixels" in options else None
    only_centre = "--centre" in options or given is not None
    network = read_network(model)
    with open(labels) as file:
        rows = [line.split("\t") for line in file.read().splitlines()[1:]]
    wrong = {view: [0, 0] for view in (["centre"] if only_centre else ["centre", "ten"])}
    for at, (name, label, *_) in enumerate(rows):
        scores = run(network, crops(read_picture(os.path.join(folder, name)) if given is None else given[at], only_centre))
        found = {"centre": probabilities(scores[:1])[0], "ten": probabilities(scores).mean(0)}
        for view, count in wrong.items():
            order = np.argsort(-found[view], kind="stable")
            count[0] += int(order[0] != int(label))
            count[1] += int(int(label) not in order[:5])
    print(json.dumps({"images": len(rows), **{view: {"top1Wrong": a, "top5Wrong": b, "top1": a / len(rows), "top5": b / len(rows)} for view, (a, b) in wrong.items()}}))


main(*sys.argv[1:])
