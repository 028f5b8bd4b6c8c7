"""What scikit-learn makes of the features, folds and parts that classifiers.ts hands in: the same choice of C, then the mean per-class accuracy of each fold."""
import json
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC


def classifier(loss, penalty, dual=False):
    if loss == 'svm':
        return LinearSVC(C=penalty, loss='squared_hinge', dual=dual, tol=1e-6, max_iter=20000, random_state=1)
    return LogisticRegression(C=penalty, tol=1e-6, max_iter=20000)


def accuracy(model, x, y):
    answer = model.predict(x)
    return float(np.mean([np.mean(answer[y == c] == c) for c in np.unique(y)]))


asked = json.load(sys.stdin)
labels = np.array(asked['labels'])
results = []
for layer in asked['layers']:
    x = np.array(layer['features'], dtype=np.float64).reshape(len(labels), -1)
    for loss in asked['losses']:
        scores, chosen = [], []
        for fold in asked['folds']:
            training, test, part = np.array(fold['training']), np.array(fold['test']), np.array(fold['part'])
            scaler = StandardScaler().fit(x[training])
            known, y = scaler.transform(x[training]), labels[training]
            dual = known.shape[1] > known.shape[0]
            tried = [
                sum(accuracy(classifier(loss, c, dual).fit(known[part != own], y[part != own]), known[part == own], y[part == own]) for own in np.unique(part))
                for c in asked['penalties']
            ]
            best = asked['penalties'][int(np.argmax(np.round(tried, 12)))]
            chosen.append(best)
            scores.append(accuracy(classifier(loss, best, dual).fit(known, y), scaler.transform(x[test]), labels[test]))
        results.append({'layer': layer['name'], 'loss': loss, 'scores': scores, 'penalties': chosen})
json.dump(results, sys.stdout)
