"""scikit-learn's side of map.ts: `python3 map.py tsne|pca|neighbours FILE ROWS DIMENSIONS OUT` reads float32 rows, writes float32 [rows, 2] (not for neighbours), and prints JSON: seconds, peakMiB."""
import json
import resource
import sys
import time

import numpy as np

what, file, rows, dimensions, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
data = np.fromfile(file, dtype=np.float32).reshape(rows, dimensions)
start = time.perf_counter()
if what == "tsne":
    from sklearn.manifold import TSNE

    start = time.perf_counter()
    positions = TSNE(init="pca", learning_rate="auto", perplexity=30, random_state=0, n_jobs=1).fit_transform(data)
elif what == "pca":
    from sklearn.decomposition import PCA

    start = time.perf_counter()
    positions = PCA(2, random_state=0).fit_transform(data)
else:
    from sklearn.neighbors import NearestNeighbors

    start = time.perf_counter()
    NearestNeighbors(n_neighbors=90, algorithm="brute", n_jobs=1).fit(data).kneighbors()
    positions = None
seconds = time.perf_counter() - start
if positions is not None:
    positions.astype(np.float32).tofile(out)
print(json.dumps({"seconds": seconds, "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
