import { Packr } from 'msgpackr';
import type { Subject } from '../subject.ts';
import { connectClient } from './client.ts';

/** What no cache over ioredis can beat: GET or MGET and decode, with no envelope, check or level of its own. */
export const limitIoredis: Subject = {
  name: 'limit: ioredis GETBUFFER or MGET + unpack',
  role: 'limit',
  async open({ port }) {
    const redis = await connectClient(port);
    const { client } = redis;
    const codec = new Packr({
      useRecords: false,
      mapsAsObjects: true,
      structuredClone: false,
      copyBuffers: true,
    });
    return {
      async read(key) {
        const bytes = await client.getBuffer(key);
        return bytes === null ? undefined : codec.unpack(bytes);
      },
      async readMany(keys) {
        const replies = await client.mgetBuffer(...keys);
        return replies.map((bytes) => (bytes === null ? undefined : codec.unpack(bytes)));
      },
      write: (key, value) => client.set(key, codec.pack(value), 'PX', 3_600_000),
      close: () => redis.close(),
    };
  },
};
