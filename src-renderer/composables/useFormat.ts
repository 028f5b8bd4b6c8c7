/** Numbers as a person reads them in the shown language. Scores keep four significant figures; sizes are binary; times are rounded up to what matters. */
import { useI18n } from 'vue-i18n';

export interface Format {
  integer(value: number): string;
  /** Four significant figures; very large and very small ones in scientific form. */
  score(value: number): string;
  /** 0..1 as per cent. */
  share(value: number): string;
  bytes(value: number): string;
  /** Images per second. */
  rate(value: number): string;
  duration(seconds: number): string;
  moment(iso: string): string;
}

export function useFormat(): Format {
  const { t, locale } = useI18n();
  const number = (value: number, options: Intl.NumberFormatOptions): string => new Intl.NumberFormat(locale.value, options).format(value);
  return {
    integer: (value) => number(value, { maximumFractionDigits: 0 }),
    score: (value) => scoreText(value),
    share: (value) => number(value, { style: 'percent', maximumFractionDigits: value !== 0 && Math.abs(value) < 0.1 ? 1 : 0 }),
    bytes: (value) => {
      const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
      const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
      return `${number(value / 1024 ** step, { maximumFractionDigits: step === 0 ? 0 : 1 })} ${units[step]}`;
    },
    rate: (value) => number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    duration: (seconds) => {
      const whole = Math.max(0, Math.round(seconds));
      if (whole < 60) return t('time.seconds', { n: whole });
      if (whole < 3600) return t('time.minutes', { n: Math.floor(whole / 60), s: whole % 60 });
      return t('time.hours', { n: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) });
    },
    moment: (iso) => new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso)),
  };
}

/** Four significant figures without needless zeros, e.g. 38.21, 0.001234, 1.2e-7. */
export function scoreText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size < 1e-4 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
