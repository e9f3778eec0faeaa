/**
 * What this folder knows about server settings: which ones the proxy can follow from server to
 * server because every server version reports them by ParameterStatus, which ones only ever last
 * for a transaction, and in which encodings a text can be lexed.
 */

/**
 * Settings a client may change without being tied to its server: the server reports the new value
 * by itself, and the session's value is set again on whatever server comes next. Lower case, as
 * names of settings are compared. Reported as well, but not settings of the client's choosing:
 * server_version, server_encoding, is_superuser, in_hot_standby and the like. search_path is
 * reported from version 18 on only, and so pins.
 */
export const FOLLOWED_SETTINGS: ReadonlySet<string> = new Set([
  'application_name',
  'client_encoding',
  'datestyle',
  'intervalstyle',
  'timezone',
  'standard_conforming_strings',
]);

/** Set for the running transaction however they are set (xact.c, StartTransaction). */
export const TRANSACTION_SETTINGS: ReadonlySet<string> = new Set([
  'transaction_isolation',
  'transaction_read_only',
  'transaction_deferrable',
]);

/**
 * Encodings in which no character contains a byte below 0x80, so that a quote is a quote. The
 * others a client may choose (SJIS, SHIFT_JIS_2004, BIG5, GBK, UHC, GB18030, JOHAB) have characters
 * whose second byte may be a quote or a backslash. A list of what is safe, not of what is not: an
 * encoding of a version to come is unsafe until somebody has looked at it.
 */
const LEXABLE =
  /^(?:utf8|unicode|sqlascii|eucjp|euccn|euckr|euctw|eucjis2004|latin\d+|iso8859\d+|win(?:dows)?(?:866|874|125\d)|koi8r?|koi8u|muleinternal|alt|win|abc|tcvn|tcvn5712|vscii)$/;

/** Whether texts of a session with this `client_encoding` can be lexed. */
export function isLexableEncoding(clientEncoding: string): boolean {
  // The server compares encoding names by letters and digits alone (encnames.c).
  return LEXABLE.test(clientEncoding.toLowerCase().replace(/[^a-z0-9]/g, ''));
}
