/**
 * THE table of keys: everything a configuration file may contain, each with its type, default,
 * bounds, doc, and what a change of it needs to take effect. Validation, defaults, the annotated
 * example, the reference and the JSON Schema are all made from it.
 *
 * It holds the whole contract. A key whose feature is not in this version is a `later` row: it is
 * known, so that it is refused for what it is and not as a misspelling, and it is never accepted
 * and ignored, because a limit that was written down and does nothing is worse than none.
 */
import { databases, servers } from './schema/behind.ts';
import { auth, drain, fleet, http, limits, listen, log } from './schema/front.ts';
import { defaults, services } from './schema/services.ts';
import { later, section, type ValueOf } from './schema/shape.ts';

export const schema = section('The configuration of Sluice.', {
  listen,
  http,
  log,
  fleet,
  drain,
  limits,
  auth,
  servers,
  databases,
  defaults,
  services,
  include: later('Further files, in lexicographic order.'),
  console: later('The operators and how they reach the console.'),
  values: later('Whether literals and parameters are shown.'),
  audit: later('Where audited events are written.'),
  tracing: later('Where traces are sent.'),
  governance: later('The highest mode any policy or service may have.'),
  windows: later('Named spans of time.'),
  lanes: later('Narrow doors shared by heavy statements.'),
  policies: later('What is done about which statements.'),
  breaker: later('When a target counts as down.'),
  retry: later('What is tried again, and how often.'),
});

/** What reading a file by the table gives: defaults filled in, names not yet resolved. */
export type Settings = ValueOf<typeof schema>;
