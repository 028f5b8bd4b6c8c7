"""What scikit-learn and SciPy say to the rows in a folder, for features.test.ts: `python3 features.py FOLDER` prints JSON.

pca.f32 (60 x 8), map.f32 (1000 x 20) and layout.f32 (1000 x 2) are float32, written by features.test.ts (SWITCHBACK_FEATURES_FOLDER). The numbers in
features.json were printed by scikit-learn 1.2.1, NumPy 1.24.2 and SciPy 1.10.1.
"""
import json
import sys

import numpy as np
from scipy.optimize import curve_fit
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.manifold._t_sne import _joint_probabilities_nn
from sklearn.neighbors import NearestNeighbors

folder = sys.argv[1]


def rows(name, width):
    return np.fromfile(f"{folder}/{name}.f32", dtype=np.float32).reshape(-1, width)


def rounded(values, digits=7):
    return np.round(np.asarray(values, dtype=np.float64), digits).tolist()


small = rows("pca", 8).astype(np.float64)
pca = PCA(svd_solver="full").fit(small)
distances = NearestNeighbors(n_neighbors=15).fit(small).kneighbors_graph(mode="distance")
distances.data **= 2
joint = _joint_probabilities_nn(distances, 5.0, 0).toarray()
large, layout = rows("map", 20), rows("layout", 2)


def curve(least):
    x = np.linspace(0, 3, 300)
    wanted = np.where(x < least, 1.0, np.exp(-(x - least)))
    return curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), x, wanted)[0]


print(json.dumps({
    "components": rounded(pca.components_),
    "variances": rounded(pca.explained_variance_),
    "projected": rounded(pca.transform(small)[:3], 6),
    "affinities": rounded(joint[:2] * 1000, 5),
    "trustworthiness": {str(k): round(float(trustworthiness(large, layout, n_neighbors=k)), 9) for k in (5, 15, 30)},
    "curves": {str(least): rounded(curve(least), 5) for least in (0.0, 0.1, 0.5, 0.99)},
}))
