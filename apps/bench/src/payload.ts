/** A record of a project's files, as an analysis service would cache it. */
export interface FileTree {
  readonly id: string;
  readonly project: { readonly name: string; readonly revision: number; readonly public: boolean };
  readonly files: readonly FileRecord[];
}

interface FileRecord {
  readonly path: string;
  readonly language: string;
  readonly bytes: number;
  readonly score: number;
  readonly owner: { readonly id: number; readonly team: string | null };
  readonly imports: readonly string[];
  readonly lines: readonly number[];
}

const languages = ['typescript', 'lua', 'markdown', 'json'];
const folders = ['src/engine', 'src/drivers/redis', 'test/conformance', 'docs'];

/** The same value for the same arguments, of about `bytes` bytes as JSON. */
export function fileTree(index: number, bytes: number): FileTree {
  const files: FileRecord[] = [];
  const tree = {
    id: `tree-${index}`,
    project: { name: `project ${index % 17}`, revision: index, public: false },
    files,
  };
  let size = JSON.stringify(tree).length;
  for (let i = 0; ; i++) {
    const file = fileRecord(index * 31 + i);
    const more = JSON.stringify(file).length + 1;
    if (size + more / 2 > bytes) return tree;
    size += more;
    files.push(file);
  }
}

function fileRecord(n: number): FileRecord {
  return {
    path: `${folders[n % folders.length]}/module-${n % 101}.ts`,
    language: languages[n % languages.length] ?? '',
    bytes: (n * 7919) % 65_536,
    score: ((n * 37) % 1000) / 8,
    owner: { id: 10_000 + (n % 211), team: n % 5 === 0 ? null : `team ${n % 13}` },
    imports: Array.from({ length: n % 4 }, (_, i) => `./part-${(n + i) % 29}.ts`),
    lines: [n % 40, (n % 40) + 12, (n * 3) % 900],
  };
}
