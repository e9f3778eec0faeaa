/** The settings a startup packet asks for, wherever in it they are said. */
import { type ProxyError, refuse } from '../errors/proxy-error.ts';

/** What a startup packet says that is no setting. */
const NOT_SETTINGS = new Set(['user', 'database', 'options', 'replication']);

/** `postgres` takes settings as `-c name=value`, `-cname=value` and `--name=value`. */
const OPTION = /^(?:-c|--)([A-Za-z_][\w.-]*)=(.*)$/s;

/**
 * Settings by lower-case name. What is said by itself wins over `options`, as in Postgres, where
 * those are applied first.
 */
export function startupSettings(
  parameters: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> | ProxyError {
  const settings = new Map<string, string>();
  const options = parameters.get('options');
  if (options !== undefined) {
    const words = splitWords(options);
    for (let index = 0; index < words.length; index++) {
      let word = words[index] as string;
      if (word === '-c') word += words[++index] ?? '';
      const match = OPTION.exec(word);
      if (match === null) return refuse('startup_parameter', { values: { name: 'options' } });
      const name = (match[1] as string).toLowerCase().replaceAll('-', '_');
      settings.set(name, match[2] as string);
    }
  }
  for (const [name, value] of parameters) {
    if (!NOT_SETTINGS.has(name)) settings.set(name.toLowerCase(), value);
  }
  return settings;
}

/** Words are set apart by white space; a backslash makes the next character an ordinary one. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (let index = 0; index < text.length; index++) {
    let character = text[index] as string;
    if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    if (character === '\\' && index + 1 < text.length) character = text[++index] as string;
    word = (word ?? '') + character;
  }
  if (word !== null) words.push(word);
  return words;
}
