import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import { REDACTED, redacted } from '../../../src/config/redact.ts';
import type { Leaf, Node } from '../../../src/config/schema/shape.ts';
import { schema } from '../../../src/config/schema.ts';
import { certificateAuthority, issueCertificate } from '../../support/x509.ts';

const authority = certificateAuthority('sluice test');
const server = issueCertificate(authority, 'sluice', ['sluice']);
const files: Record<string, string> = {
  '/c/cert.pem': server.certificate,
  '/c/key.pem': server.key,
  '/c/ca.pem': authority.certificate,
  '/c/client_ca.pem': authority.certificate,
};

/** A value for every key that holds a secret or a file, and for what those cannot do without. */
function filled(node: Node, path: string, marks: string[]): unknown {
  switch (node.kind) {
    case 'leaf':
      return filledLeaf(node, path, marks);
    case 'list': {
      if (node.of.kind === 'leaf' && !node.of.secret) return undefined;
      const item = filled(node.of, path, marks);
      return item === undefined ? undefined : [item];
    }
    case 'named':
      return { [node.shown]: filled(node.of, path, marks) };
    case 'either':
      return path.endsWith('login') ? filled(node.section, path, marks) : undefined;
    case 'section':
      return Object.fromEntries(
        Object.entries(node.keys).map(([key, child]) => [
          key,
          filled(child, `${path}.${key}`, marks),
        ]),
      );
    case 'later':
      return undefined;
  }
}

function filledLeaf(leaf: Leaf<unknown>, path: string, marks: string[]): unknown {
  if (leaf.secret) {
    marks.push(`secret-${marks.length}`);
    return marks.at(-1);
  }
  if (leaf.type.source === 'pem') return `/c/${path.split('.').at(-1)}.pem`;
  if (path.startsWith('.servers') && path.endsWith('tls.mode')) return 'verify-full';
  if (path === '.auth.query.database') return 'shop';
  if (path === '.auth.query.user') return 'asker';
  if (path.endsWith('targets.server') || leaf.required)
    return leaf.shown?.replaceAll('"', '') ?? 'x';
  return undefined;
}

test('no secret of any key that has one is in a configuration as it is shown', () => {
  const marks: string[] = [];
  // JSON is YAML, and leaves out what is undefined.
  files['/c/sluice.yaml'] = JSON.stringify(filled(schema, '', marks));
  expect(marks.length).toBeGreaterThanOrEqual(3);
  const { config, problems } = loadConfig('/c/sluice.yaml', {
    env: {},
    readFile: (path) => files[path]!,
  });
  expect(problems.map((problem) => formatProblem(problem))).toEqual([]);
  expect(config!.http.token).toBe(marks[0]);
  expect(config!.listen[0]!.tls.key).toBe(server.key.trimEnd());

  const shown = JSON.stringify(redacted(config!));
  expect(marks.filter((mark) => shown.includes(mark))).toEqual([]);
  expect(shown).not.toMatch(/BEGIN/);
  expect(shown).toContain(REDACTED);
});

test('a user may be called like a secret', () => {
  const text =
    'auth: { users: { token: { password: x } } }\ndatabases: { a: { targets: { url: postgres://db } } }';
  const { config } = loadConfig('sluice.yaml', { env: {}, readFile: () => text });
  expect(redacted(config!)['auth']).toMatchObject({
    users: { token: { name: 'token', passwords: [REDACTED] } },
  });
});
