/** Plain data as YAML, in the few forms that job files need: strings are quoted as JSON, which YAML includes, and text of several lines is a literal block. */

export type YamlValue = string | number | boolean | readonly YamlValue[] | { readonly [key: string]: YamlValue };

export function yamlDocument(value: { readonly [key: string]: YamlValue }): string {
  return `${lines(value).join('\n')}\n`;
}

function lines(value: YamlValue): readonly string[] {
  if (typeof value === 'string' && value.includes('\n')) return ['|', ...indented(value.trimEnd().split('\n'))];
  if (typeof value !== 'object') return [scalar(value)];
  if (isList(value)) return value.length === 0 ? ['[]'] : value.flatMap((item) => marked('- ', lines(item)));
  const entries = Object.entries(value);
  return entries.length === 0
    ? ['{}']
    : entries.flatMap(([key, item]) => {
        const [first, ...rest] = lines(item);
        const isInline = typeof item !== 'object' || first === '[]' || first === '{}';
        return isInline ? [`${key}: ${first}`, ...rest] : [`${key}:`, ...indented([first!, ...rest])];
      });
}

function indented(all: readonly string[]): readonly string[] {
  return all.map((line) => (line === '' ? '' : `  ${line}`));
}

function marked(mark: string, [first, ...rest]: readonly string[]): readonly string[] {
  return [`${mark}${first}`, ...rest.map((line) => (line === '' ? '' : `${' '.repeat(mark.length)}${line}`))];
}

function scalar(value: string | number | boolean): string {
  return typeof value === 'string' && /^[A-Za-z][\w/.-]*$/.test(value) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(value) ? value : JSON.stringify(value);
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}
