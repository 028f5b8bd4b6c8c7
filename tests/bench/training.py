"""The network of training.ts in PyTorch: images per second of whole training steps, printed as one number."""
import sys
import time

import torch
import torch.nn as nn


def main(width, edge, classes, batch, steps, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)

    def scaled(channels):
        return max(1, round(channels * width))

    features = nn.Sequential(
        nn.Conv2d(3, scaled(96), 7, 2, 1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0),
        nn.Conv2d(scaled(96), scaled(256), 5, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0),
        nn.Conv2d(scaled(256), scaled(384), 3, 1, 1), nn.ReLU(inplace=True),
        nn.Conv2d(scaled(384), scaled(384), 3, 1, 1), nn.ReLU(inplace=True),
        nn.Conv2d(scaled(384), scaled(256), 3, 1, 1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2), nn.Flatten(),
    )
    flat = features(torch.zeros(1, 3, edge, edge)).shape[1]
    units = scaled(4096)
    classifier = nn.Sequential(nn.Linear(flat, units), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(units, units), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(units, classes))
    network = nn.Sequential(features, classifier)
    descent = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    judge = nn.CrossEntropyLoss()
    images = torch.randint(0, 256, (batch, 3, edge, edge), dtype=torch.uint8)
    labels = torch.arange(batch) % classes

    def step():
        descent.zero_grad(set_to_none=True)
        loss = judge(network((images.float() - 120) / 60), labels)
        loss.backward()
        descent.step()
        return loss.item()

    for _ in range(2):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    print(batch * steps / (time.perf_counter() - start))


if __name__ == "__main__":
    width, *rest = sys.argv[1:]
    main(float(width), *(int(number) for number in rest))
