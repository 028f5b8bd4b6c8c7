/** What the system hands over: files, folders, links and the arguments of a second start. */
import { describe, expect, it } from 'vitest';
import { openingOfLink, openingOfPath, openingsOf, workspaceIdOf, type FileFacts } from '../../../src-main/desktop/openings.ts';

const there = ['/data/net.onnx', '/data/NET.ONNX', '/data/net.caffemodel', '/data/work.switchback', '/data/photos', '/data/work', '/data/work/workspace.sqlite', '/data/notes.txt'];
const files: FileFacts = { exists: (path) => there.includes(path), isFolder: (path) => path === '/data/photos' || path === '/data/work' };

describe('a path', () => {
  it.each([
    ['/data/net.onnx', 'model'],
    ['/data/NET.ONNX', 'model'],
    ['/data/net.caffemodel', 'model'],
    ['/data/work.switchback', 'workspace'],
    ['/data/work', 'workspace'],
    ['/data/photos', 'images'],
  ] as const)('%s is opened as %s', (path, kind) => expect(openingOfPath(path, files)).toEqual({ kind, path }));

  it('that is not there, not absolute or none of ours is nothing', () => {
    for (const path of ['/data/gone.onnx', 'data/net.onnx', '/data/notes.txt', '']) expect([path, openingOfPath(path, files)]).toEqual([path, undefined]);
  });
});

describe('a link', () => {
  it('shows a place of a workspace, and how it is looked at', () => {
    expect(openingOfLink('switchback://workspace/78178115-462e-480a-a7f5-362eca4b7f14/i/v65vdmxu/l/13/c/7?hit=2&method=guided')).toEqual({
      kind: 'place',
      address: '/w/78178115-462e-480a-a7f5-362eca4b7f14/i/v65vdmxu/l/13/c/7?hit=2&method=guided',
    });
    expect(openingOfLink('switchback://workspace/abc/')).toEqual({ kind: 'place', address: '/w/abc' });
    expect(workspaceIdOf('/w/abc/i/x?hit=2')).toBe('abc');
  });

  it('names no file: such words of its query are left out', () => {
    expect(openingOfLink('switchback://workspace/abc/diagnostics?model=/etc/passwd&folder=C%3A%5C&layer=3&token=x')).toEqual({ kind: 'place', address: '/w/abc/diagnostics?layer=3' });
  });

  it.each([
    'switchback://import?model=/tmp/evil.onnx',
    'switchback://workspace/',
    'switchback://workspace/../../import',
    'switchback://workspace/a/%2e%2e/%2e%2e/import',
    'switchback://workspace/a/b%2Fc',
    'switchback://workspace//evil.example/x',
    'https://workspace/abc',
    'javascript:alert(1)',
    `switchback://workspace/${'a'.repeat(65)}`,
    `switchback://workspace/abc?hit=${'1'.repeat(2000)}`,
    'not a link',
  ])('%s is nothing', (link) => expect(openingOfLink(link)).toBeUndefined());
});

describe('the arguments of a start', () => {
  it('are read in their order, relative to the folder, past switches and the program', () => {
    const argv = ['/usr/bin/switchback', '--ozone-platform=wayland', 'net.onnx', '--workspace', 'work', 'switchback://workspace/abc/i/x', './photos', 'gone.onnx', '.'];
    expect(openingsOf(argv, '/data', files)).toEqual([
      { kind: 'model', path: '/data/net.onnx' },
      { kind: 'workspace', path: '/data/work' },
      { kind: 'place', address: '/w/abc/i/x' },
      { kind: 'images', path: '/data/photos' },
    ]);
  });
});
