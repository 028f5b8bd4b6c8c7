/**
 * The sentences that the core can say, read from its sources: every literal and every template of src-main and src-shared that reads as
 * words (and the few that the page says in the core's stead), less the places named below whose words never reach the interface: the
 * command line, queries, captions of figures, bugs. A template stands as its text with {0}, {1} … for the values, one for each way its
 * conditions can fall; words that differ only in number stay one template, written {image|images}.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface CoreTemplate {
  readonly text: string;
  /** Where it is said: file:line. */
  readonly where: string;
  /** What stands for each placeholder in the source. */
  readonly values: readonly string[];
}

export function readCoreTemplates(root: string): readonly CoreTemplate[] {
  const files = globSync(['src-main/**/*.ts', 'src-shared/**/*.ts', 'src-renderer/**/*.ts'], { cwd: root }).filter((file) => !silentFiles.some((silent) => silent.test(file)));
  const found = new Map<string, CoreTemplate>();
  for (const file of files.toSorted()) {
    const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
    for (const template of templatesIn(source)) if (!found.has(template.text)) found.set(template.text, template);
  }
  return [...found.values()];
}

/** Files without a word for the interface: other ways in and out, figures with words of their own. */
const silentFiles = [
  // Of the page itself, only what it says where the core says nothing.
  /^src-renderer\/(?!api\/(failure|givePicture|pictures)\.ts$|features\/map\/mapColumns\.ts$)/,
  /^src-main\/(cli|setup|desktop)\//,
  /^src-main\/store\/migrations\//,
  /^src-main\/graph\/(graph|verify)\.ts$/,
  /^src-main\/rewrite\/backward\/describeWalk\.ts$/,
  /^src-main\/projection\/(figure|atlasPicture)/,
  /^src-main\/services\/(mapCaption|experimentLearningWords|evolutionFigure|mapFigure)\.ts$/,
  /^src-main\/dataset\/(figurePicture|normalize)\.ts$/,
  /^src-main\/core\/(main|parentWatch|staticFiles)\.ts$/,
  /^src-main\/experiments\/(\w+Chart|chartLayout|resultFigure|paperVariants|tables)\.ts$/,
  /^src-shared\/contract\/(mapMedia|pagePolicy)\.ts$/,
];

/** Files that also write captions: of these only what is said in an error, a title, a reason, a note or a step counts. */
const captionFiles = /^src-main\/services\/(lab\w*|experiment\w*|figures|training|about)\.ts$/;
const heardCalls = /(AppError|[rR]eport|tell|note|warn|push|piece)$/;
const heardNames = /^(reason|note\w*|title|step)$/;

/** What is called with words that are no sentence: bugs, seeds, names within graphs, headers, the log. */
const silentCalls = /^(Error|.*[rR]un|(context\.)?kept|layOutGrid|.*\.freeName|node\.network\.constant|.*\.(run|get|all|exec|header|startsWith|endsWith|includes|write|step|finish|intermediate|emit|encode|update|log|note[A-Z]\w*)|log|say|ascii|seededNumbers|createChance|createGraphBuilder|extend|rewrite|packArrays|packedFile|scalar|constant|optionalConstant|requiredConstant|weightValues|equal|addStatistics)$/;

/** Properties and functions that hold words of a figure or of a file, and keys of a cache. */
const silentNames = /^(caption|charts|tables|key|name|description|provenance|file|fileName|captionOf|subjectWords|\w*Caption|\w*Headers?|content-\w+|cache-control|authorization|format|sql)$/;

function* templatesIn(source: ts.SourceFile): Generator<CoreTemplate> {
  const pending: ts.Node[] = [source];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (isSilent(node, source)) {
      pending.push(...heardWithin(node).toReversed());
    } else if (isText(node)) {
      if (captionFiles.test(source.fileName) && !isHeard(node, source)) continue;
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      for (const pieces of waysOf(node, source)) {
        const template = written(pieces);
        if (readsAsWords(template.text)) yield { ...template, where: `${source.fileName}:${line + 1}` };
      }
      pending.push(...valuesWithin(node).toReversed());
    } else {
      pending.push(...childrenOf(node).toReversed());
    }
  }
}

function childrenOf(node: ts.Node): readonly ts.Node[] {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  return children;
}

/** What a silent call does with functions and records may speak again; its own words do not. */
function heardWithin(node: ts.Node): readonly ts.Node[] {
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return (node.arguments ?? []).filter((each) => ts.isArrowFunction(each) || ts.isCallExpression(each) || ts.isObjectLiteralExpression(each) || ts.isAwaitExpression(each));
  if (ts.isPropertyAssignment(node) && (ts.isArrowFunction(node.initializer) || ts.isObjectLiteralExpression(node.initializer))) return [node.initializer];
  return [];
}

function isHeard(node: ts.Node, source: ts.SourceFile): boolean {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if ((ts.isCallExpression(at) || ts.isNewExpression(at)) && heardCalls.test(at.expression.getText(source))) return true;
    if ((ts.isPropertyAssignment(at) || ts.isVariableDeclaration(at) || ts.isFunctionDeclaration(at)) && at.name !== undefined && heardNames.test(at.name.getText(source))) return true;
  }
  return false;
}

function isSilent(node: ts.Node, source: ts.SourceFile): boolean {
  if (ts.isImportDeclaration(node) || ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return silentCalls.test(node.expression.getText(source).replaceAll(/\s+/g, ''));
  if (ts.isPropertyAssignment(node) || ts.isFunctionDeclaration(node)) return node.name !== undefined && silentNames.test(node.name.getText(source).replaceAll(/['"]/g, ''));
  return false;
}

type Text = ts.StringLiteral | ts.NoSubstitutionTemplateLiteral | ts.TemplateExpression;
const isText = (node: ts.Node): node is Text => ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node);

/** A stretch of text, or the value of an expression. */
type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'value'; readonly source: string };

/** Every way a template can read, as its conditions fall. */
function waysOf(node: Text, source: ts.SourceFile): readonly (readonly Piece[])[] {
  if (!ts.isTemplateExpression(node)) return [[{ kind: 'text', text: node.text }]];
  let ways: readonly (readonly Piece[])[] = [[{ kind: 'text', text: node.head.text }]];
  for (const span of node.templateSpans) {
    const choices = choicesOf(span.expression, source);
    const taken = ways.length * choices.length <= mostWays ? choices : [[valueOf(span.expression, source)]];
    ways = ways.flatMap((way) => taken.map((choice) => [...way, ...choice, { kind: 'text', text: span.literal.text } as const]));
  }
  return ways;
}

const mostWays = 8;

function choicesOf(expression: ts.Expression, source: ts.SourceFile): readonly (readonly Piece[])[] {
  const bare = ts.isParenthesizedExpression(expression) ? expression.expression : expression;
  if (isText(bare)) return waysOf(bare, source);
  if (ts.isIdentifier(bare)) {
    const words = wordOf(bare, source);
    if (words) return words;
  }
  if (ts.isConditionalExpression(bare)) {
    const yes = choicesOf(bare.whenTrue, source);
    const no = choicesOf(bare.whenFalse, source);
    const number = inNumber(yes, no);
    return number ? [[{ kind: 'text', text: number }]] : [...yes, ...no];
  }
  if (ts.isBinaryExpression(bare) && (bare.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken || bare.operatorToken.kind === ts.SyntaxKind.BarBarToken) && isText(bare.right) && /[a-z]{2}/.test(bare.right.getText(source))) {
    return [...choicesOf(bare.left, source), ...waysOf(bare.right, source)];
  }
  return [[valueOf(bare, source)]];
}

/** The ways of a constant or a parameter that chooses between single words, such as a verb; sentences stay values, as they are templates themselves. */
function wordOf(name: ts.Identifier, source: ts.SourceFile): readonly (readonly Piece[])[] | undefined {
  const declared: (readonly string[])[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer && node.name.getText(source) === name.text) declared.push(literalsOf(node.initializer));
    if (ts.isParameter(node) && node.type && ts.isUnionTypeNode(node.type) && node.name.getText(source) === name.text) declared.push(node.type.types.flatMap((type) => (ts.isLiteralTypeNode(type) ? literalsOf(type.literal) : [''])));
    ts.forEachChild(node, look);
  };
  look(source);
  if (declared.length !== 1 || declared[0]!.length < 2 || !declared[0]!.every((word) => /^\w+$/.test(word))) return undefined;
  return declared[0]!.map((text) => [{ kind: 'text', text }]);
}

/** The words that an expression chooses between; '' for one that is no word. */
function literalsOf(node: ts.Node): readonly string[] {
  if (ts.isConditionalExpression(node)) return [...literalsOf(node.whenTrue), ...literalsOf(node.whenFalse)];
  return [ts.isStringLiteral(node) ? node.text : ''];
}

const valueOf = (expression: ts.Expression, source: ts.SourceFile): Piece => ({ kind: 'value', source: expression.getText(source).replaceAll(/\s+/g, ' ') });

/** `{image|images}` for two ways that are the same words in the singular and in the plural. */
function inNumber(yes: readonly (readonly Piece[])[], no: readonly (readonly Piece[])[]): string | undefined {
  const [one, many] = [yes, no].map((ways) => (ways.length === 1 && ways[0]!.length === 1 && ways[0]![0]!.kind === 'text' ? ways[0]![0]!.text : undefined));
  if (one === undefined || many === undefined || plain(one) !== plain(many)) return undefined;
  return `{${one}|${many}}`;
}

const irregular: Readonly<Record<string, string>> = { are: 'is', were: 'was', have: 'has', they: 'it', their: 'its', these: 'this', mean: 'means', axes: 'axis' };
const plain = (words: string): string => words.split(' ').map((word) => (irregular[word] ?? word).replace(/s$/, '')).join(' ');

function written(pieces: readonly Piece[]): Omit<CoreTemplate, 'where'> {
  const values: string[] = [];
  const text = pieces.map((piece) => (piece.kind === 'text' ? piece.text : `{${values.push(piece.source) - 1}}`)).join('');
  return { text, values };
}

/** Expressions inside a template that may hold sentences of their own: everything but the choices that were written out already. */
function valuesWithin(node: Text): readonly ts.Node[] {
  if (!ts.isTemplateExpression(node)) return [];
  return node.templateSpans.flatMap(({ expression }) => restOf(expression));
}

function restOf(expression: ts.Expression): readonly ts.Node[] {
  const bare = ts.isParenthesizedExpression(expression) ? expression.expression : expression;
  if (isText(bare)) return valuesWithin(bare);
  if (ts.isConditionalExpression(bare)) return [...restOf(bare.whenTrue), ...restOf(bare.whenFalse)];
  if (ts.isBinaryExpression(bare) && isText(bare.right)) return restOf(bare.left);
  return [bare];
}

/** Two words in small letters, or one beside a value or before a full stop; no query, no program, no address, no markup. */
function readsAsWords(text: string): boolean {
  const words = text.replaceAll(/\{\d+\}/g, ' {} ').replaceAll(/\{([^{}|]+)\|[^{}]+\}/g, '$1').replaceAll(/ +/g, ' ');
  if (silentTexts.some((silent) => silent.test(text))) return false;
  if (/^[A-Za-z]+ \{\} *(, )?$/.test(words)) return spokenPairs.test(text);
  return /[A-Za-z]{2,}[,;:)"]* +["(]?[a-z]{2,}|\b[A-Za-z]{4,}:? +(\{\}|[A-Z"(])|(\{\}|[,.;:]) +[a-z]{4,}|[A-Za-z]{2,}\.$|\b(is|not|no) +(\{\}|[A-Z])|\bnot an? /.test(words);
}

const silentTexts = [
  // Queries of the store.
  /^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|PRAGMA|ATTACH|DETACH|ALTER|FROM)\b|SELECT |=\?|= \?|IS NOT|FILTER \(|_array\(| = new\.|\bid, |SQLite format/,
  // Addresses, markup, headers and programs.
  /^\/|^<|^\n|^file:|^version https|charset=|max-age|no-cache|; Path=|^torch\.|layers\/\{/,
  // Names within files and graphs.
  /^\{0\} constants$|^switchback training|^(Switchback|Reshape) \{|^Python|^JPEG|^window:|: (fill|valid)|^(type|slope) \{0\}$|^column\{|^single \{|^(never|minus)\b/,
  // Keys of caches and of rows, and seeds.
  /^(map|neighbours \d)\b.*\{(?!0\}$)|, (settled|prepared)$| exact$|needs a copy|^(fixed|scratch|moving)\b|^(random boxes|draw|variant|part|\{0\}) (\{0\}|images|minus one)$/,
];

/** Of pairs of a word and a value, those that are said; the others are keys. */
const spokenPairs = /^(projecting|epoch|reading|file|signal|channel|node|class|hiding) /;
