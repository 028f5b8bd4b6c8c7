/** How many strangers are answered, how much is done at once, and by which names a server may be called. */
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { acceptedHosts, bracketed, isLoopback } from '../../../src-main/core/hosts.ts';
import { createRates } from '../../../src-main/core/rates.ts';

describe('rates', () => {
  it('answer a burst of strangers, then so many a second', () => {
    let time = 0;
    const rates = createRates({ refusalsPerSecond: 4, atOnce: 1 }, () => time);
    const answered = (count: number): number => Array.from({ length: count }, () => rates.mayRefuseAgain()).filter(Boolean).length;
    expect(answered(10)).toBe(4);
    time = 250;
    expect(answered(10)).toBe(1);
    time = 100_000;
    expect(answered(10)).toBe(4);
  });

  it('let no more in than there is room for, and count each one out once', () => {
    const rates = createRates({ refusalsPerSecond: 1, atOnce: 2 });
    const [first, second] = [rates.enter(), rates.enter()];
    expect([typeof first, typeof second, rates.enter()]).toEqual(['function', 'function', undefined]);
    first!();
    first!();
    expect([typeof rates.enter(), rates.enter()]).toEqual(['function', undefined]);
  });
});

describe('names of a server', () => {
  it('are its own address, and localhost for the loopback', () => {
    expect(acceptedHosts('127.0.0.1', 80)).toEqual(['127.0.0.1:80', 'localhost:80']);
    expect(acceptedHosts('192.168.1.5', 8080)).toEqual(['192.168.1.5:8080']);
    expect(acceptedHosts('::1', 80)).toEqual(['[::1]:80', '127.0.0.1:80', 'localhost:80']);
  });

  it('are all addresses of the machine where it is bound to all', () => {
    const hosts = acceptedHosts('0.0.0.0', 80);
    expect(hosts).toEqual(expect.arrayContaining(['127.0.0.1:80', 'localhost:80', `${hostname().toLowerCase()}:80`]));
    expect(hosts).not.toContain('0.0.0.0:80');
    expect(new Set(hosts).size).toBe(hosts.length);
  });

  it('tell the loopback from the rest', () => {
    expect(['127.0.0.1', '127.9.9.9', 'localhost', '::1', '0.0.0.0', '192.168.1.5', '127.0.0.1.example.org', '::'].map(isLoopback)).toEqual([true, true, true, true, false, false, false, false]);
    expect([bracketed('fe80::1%eth0'), bracketed('10.0.0.1')]).toEqual(['[fe80::1]', '10.0.0.1']);
  });
});
