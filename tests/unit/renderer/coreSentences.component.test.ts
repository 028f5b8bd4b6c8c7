/** The core's sentences in a page: in the language that was asked for last, and the page is busy until its catalogue is there. */
import { expect, test } from 'vitest';
import { coreText, showCoreSentences } from '../../../src-renderer/locales/coreSentences.ts';

const said = () => coreText('There is no file gone.onnx. Check the path.');
const isBusy = () => document.documentElement.getAttribute('aria-busy') === 'true';

test('the page is busy until the words of its language are there', async () => {
  const shown = showCoreSentences('ko');
  expect([isBusy(), said()]).toEqual([true, 'There is no file gone.onnx. Check the path.']);
  await shown;
  expect([isBusy(), said()]).toEqual([false, '파일 gone.onnx이(가) 없습니다. 경로를 확인하세요.']);
});

test('a language that was left meanwhile is not shown', async () => {
  await Promise.all([showCoreSentences('zh-CN'), showCoreSentences('en')]);
  expect([isBusy(), said()]).toEqual([false, 'There is no file gone.onnx. Check the path.']);
});
