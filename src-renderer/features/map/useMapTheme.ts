/** The theme's colours as numbers, for what is drawn on a canvas; read again when the theme changes. */
import { onBeforeUnmount, onMounted, shallowRef, type ShallowRef } from 'vue';
import type { Colour, MapTheme } from './mapColouring.ts';

export function useMapTheme(): ShallowRef<MapTheme> {
  const theme = shallowRef(readTheme());
  const read = (): void => void (theme.value = readTheme());
  const preference = matchMedia('(prefers-color-scheme: dark)');
  const observer = new MutationObserver(read);
  onMounted(() => {
    preference.addEventListener('change', read);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  });
  onBeforeUnmount(() => {
    preference.removeEventListener('change', read);
    observer.disconnect();
  });
  return theme;
}

function readTheme(): MapTheme {
  const style = getComputedStyle(document.documentElement);
  const ground = colourOf(style.getPropertyValue('--ground'), [18, 18, 18]);
  return { isDark: ground[0] < 128, ground, quiet: colourOf(style.getPropertyValue('--control-line'), [116, 116, 116]) };
}

function colourOf(hex: string, otherwise: Colour): Colour {
  const [, red, green, blue] = /^\s*#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\s*$/i.exec(hex) ?? [];
  return red && green && blue ? [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)] : otherwise;
}
