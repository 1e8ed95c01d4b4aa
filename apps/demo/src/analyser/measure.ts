import { visitorKeys, type Node, type Program } from 'oxc-parser';
import type { LineIndex } from './lines.ts';
import type { FunctionMeasure } from './report.ts';

const BRANCHES: ReadonlySet<Node['type']> = new Set<Node['type']>([
  'IfStatement',
  'ConditionalExpression',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'CatchClause',
  'LogicalExpression',
]);
const SHORT_CIRCUITS: ReadonlySet<string> = new Set(['&&=', '||=', '??=']);

export interface Measures {
  readonly functions: readonly FunctionMeasure[];
  readonly complexity: number;
  /** Specifiers of `require('x')` calls with their offsets. */
  readonly required: readonly { readonly specifier: string; readonly start: number }[];
}

interface Counter {
  complexity: number;
}

interface OpenFunction extends Counter {
  readonly name: string;
  readonly node: Node;
}

/** Measures every function below a program. Walks without recursion: the depth of the tree is the file's choice. */
export function measure(program: Program, lines: LineIndex): Measures {
  const top: Counter = { complexity: 1 };
  const found: OpenFunction[] = [];
  const required: { specifier: string; start: number }[] = [];
  const stack: { node: Node; owner: Counter; name: string | undefined }[] = [];
  stack.push({ node: program, owner: top, name: undefined });

  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { node } = visit;
    let { owner } = visit;
    if (isFunction(node)) {
      const opened: OpenFunction = { complexity: 1, name: ownName(node) ?? visit.name ?? '(anonymous)', node };
      found.push(opened);
      owner = opened;
    } else if (isBranch(node)) owner.complexity++;
    const specifier = requiredBy(node);
    if (specifier !== undefined) required.push({ specifier, start: node.start });
    const name = nameForChildren(node);
    for (const child of children(node)) stack.push({ node: child, owner, name });
  }

  const functions = found
    .sort((a, b) => a.node.start - b.node.start)
    .map(({ name, node, complexity }) => {
      const line = lines.lineOf(node.start);
      return { name, line, lines: lines.lineOf(node.end) - line + 1, complexity };
    });
  return { functions, required, complexity: functions.reduce((sum, each) => sum + each.complexity, top.complexity) };
}

function children(node: Node): Node[] {
  const fields = node as unknown as Readonly<Record<string, unknown>>;
  return (visitorKeys[node.type] ?? []).flatMap((key) => {
    const field = fields[key];
    return (Array.isArray(field) ? field : [field]).filter(isNode);
  });
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function isFunction(node: Node): boolean {
  return (
    node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
  );
}

function isBranch(node: Node): boolean {
  if (node.type === 'SwitchCase') return node.test !== null;
  if (node.type === 'AssignmentExpression') return SHORT_CIRCUITS.has(node.operator);
  return BRANCHES.has(node.type);
}

function ownName(node: Node): string | undefined {
  return 'id' in node && isNode(node.id) ? identifier(node.id) : undefined;
}

/** The name that a function gets from where it stands: `const name = () => …`, `{ name: () => … }`, `name() {…}`. */
function nameForChildren(node: Node): string | undefined {
  if (node.type === 'VariableDeclarator') return identifier(node.id);
  if (node.type === 'AssignmentExpression') return identifier(node.left);
  if (node.type === 'Property' || node.type === 'MethodDefinition' || node.type === 'PropertyDefinition')
    return identifier(node.key);
  return undefined;
}

function identifier(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'PrivateIdentifier') return `#${node.name}`;
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  return node.type === 'MemberExpression' && !node.computed ? identifier(node.property) : undefined;
}

function requiredBy(node: Node): string | undefined {
  if (node.type !== 'CallExpression' || identifier(node.callee) !== 'require') return undefined;
  const [argument] = node.arguments;
  return argument?.type === 'Literal' && typeof argument.value === 'string' ? argument.value : undefined;
}
