/** A body that belongs to one request alone: bytes of any other can't be taken for it. */
export function bodyOf(id: string, length: number): Buffer {
  return Buffer.alloc(length, `${id} `);
}
