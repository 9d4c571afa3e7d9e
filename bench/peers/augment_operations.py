"""Processor time of OpenCV and albumentations per operation, one thread: python augment_operations.py WIDTH HEIGHT ROUNDS. One JSON object: milliseconds by our names.

Needs opencv-python-headless, numpy and albumentations.
"""
import json
import statistics
import sys
import time

import albumentations as A
import cv2
import numpy as np

width, height, rounds = map(int, sys.argv[1:4])
cv2.setNumThreads(1)
random = np.random.default_rng(0)
image = cv2.resize(random.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
moved = np.float32([[30, 20], [width - 10, 5], [width - 40, height - 20], [5, height - 50]])
matrix = cv2.getPerspectiveTransform(corners, moved)
turn = cv2.getRotationMatrix2D((width / 2, height / 2), 10, 1.05)
y, x = np.meshgrid(np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32), indexing="ij")
radius = (x - width / 2) ** 2 + (y - height / 2) ** 2
lens = 1 + 0.1 * radius / radius.max()
lens_x, lens_y = width / 2 + (x - width / 2) * lens, height / 2 + (y - height / 2) * lens
disk = np.float32([[1 if i * i + j * j <= 36 else 0 for i in range(-8, 9)] for j in range(-8, 9)])
line = np.zeros((17, 17), np.float32)
cv2.line(line, (2, 12), (14, 4), 1)
tilted = cv2.getGaussianKernel(31, 5) @ cv2.getGaussianKernel(31, 2).T


def albumentation(transform):
    return lambda: transform(image=image)


operations = {
    "gaussian-noise": albumentation(A.GaussNoise(std_range=(0.05, 0.05), p=1)),
    "poisson-noise": albumentation(A.ShotNoise(p=1)),
    "iso-noise": albumentation(A.ISONoise(p=1)),
    "speckle-noise": albumentation(A.MultiplicativeNoise(multiplier=(0.9, 1.1), per_channel=True, elementwise=True, p=1)),
    "impulse-noise": albumentation(A.SaltAndPepper(p=1)),
    "gaussian-blur sigma 1.4": lambda: cv2.GaussianBlur(image, (9, 9), 1.4),
    "gaussian-blur sigma 5": lambda: cv2.GaussianBlur(image, (31, 31), 5),
    "motion-blur 15": lambda: cv2.filter2D(image, -1, line / line.sum()),
    "defocus-blur 6": lambda: cv2.filter2D(image, -1, disk / disk.sum()),
    "anisotropic-blur 5": lambda: cv2.filter2D(image, -1, tilted),
    "jpeg 50": lambda: cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1),
    "webp 50": lambda: cv2.imdecode(cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 50])[1], 1),
    "rescale 1/4": lambda: cv2.resize(cv2.resize(image, (width // 4, height // 4), interpolation=cv2.INTER_AREA), (width, height)),
    "gamma": albumentation(A.RandomGamma(p=1)),
    "contrast": albumentation(A.RandomBrightnessContrast(p=1)),
    "saturation": albumentation(A.ColorJitter(brightness=0, contrast=0, hue=0, saturation=(0.5, 0.5), p=1)),
    "white-balance": albumentation(A.PlanckianJitter(p=1)),
    "cast-shadow": albumentation(A.RandomShadow(p=1)),
    "perspective": lambda: cv2.warpPerspective(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE),
    "affine": lambda: cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE),
    "lens": lambda: cv2.remap(image, lens_x, lens_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
    "thin-plate": albumentation(A.ThinPlateSpline(p=1)),
    "elastic": albumentation(A.ElasticTransform(p=1)),
}


def milliseconds(operation):
    operation()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        operation()
        times.append((time.process_time() - start) * 1e3)
    return statistics.median(times)


print(json.dumps({"versions": f"OpenCV {cv2.__version__}, albumentations {A.__version__}", "times": {name: milliseconds(f) for name, f in operations.items()}}))
