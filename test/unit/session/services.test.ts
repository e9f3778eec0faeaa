import { describe, expect, test } from 'vitest';
import type { ServiceConfig, ServiceMatch } from '../../../src/config/snapshot.ts';
import { type ClientIdentity, Services } from '../../../src/session/services.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { serviceConfig } from '../../conversation/stage.ts';

const metrics = new Metrics({ version: '0', instance: 'test' });
const NOTHING: ServiceMatch = {
  users: null,
  databases: null,
  certs: null,
  listeners: null,
  clients: null,
};

function service(name: string, ...match: readonly Partial<ServiceMatch>[]): ServiceConfig {
  return { ...serviceConfig(), name, match: match.map((one) => ({ ...NOTHING, ...one })) };
}

function find(configs: readonly ServiceConfig[], identity: Partial<ClientIdentity> = {}): string {
  const services = new Services([...configs, service('default')], metrics);
  return services.find({
    user: 'app',
    database: 'shop',
    listener: '0.0.0.0:6432',
    listenerService: null,
    address: '10.1.2.3',
    certificates: [],
    ...identity,
  }).name;
}

describe('a client belongs to', () => {
  test('the default when nothing else wants it', () => {
    expect(find([])).toBe('default');
    expect(find([service('reports', { users: ['bi_*'] })])).toBe('default');
  });

  test('the one whose names its certificate bears', () => {
    const certified = service('certified', { certs: ['*.example.com', 'spiffe://*'] });
    expect(find([certified])).toBe('default');
    expect(find([certified], { certificates: ['orders'] })).toBe('default');
    expect(find([certified], { certificates: ['orders', 'a.example.com'] })).toBe('certified');
  });

  test('the first service that matches', () => {
    const configs = [service('one', { users: ['a*'] }), service('two', { users: ['app'] })];
    expect(find(configs)).toBe('one');
    expect(find([...configs].reverse())).toBe('two');
  });

  test('one whose keys all hold, or any of its matches', () => {
    const configs = [
      service('s', { users: ['app'], databases: ['other'] }, { clients: ['10.1.0.0/16'] }),
    ];
    expect(find(configs)).toBe('s');
    expect(find(configs, { address: '10.2.0.1' })).toBe('default');
    expect(find(configs, { address: '10.2.0.1', database: 'other' })).toBe('s');
    expect(find(configs, { address: '::ffff:10.1.0.1' })).toBe('s');
  });

  test('the one of its listener by name', () => {
    expect(find([service('s', { listeners: ['*:6432'] })])).toBe('s');
    expect(find([service('s', { listeners: ['*:6433'] })])).toBe('default');
  });

  test('the one its listener belongs to, whoever it is', () => {
    const configs = [service('one', { users: ['app'] }), service('two', { users: ['nobody'] })];
    expect(find(configs, { listenerService: 'two' })).toBe('two');
    expect(find(configs, { listenerService: 'default' })).toBe('default');
  });

  test('no service that only has a listener of its own', () => {
    expect(find([service('inner')])).toBe('default');
  });
});
