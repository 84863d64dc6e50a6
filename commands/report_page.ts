export function writePage(_path: string, _reports: unknown): Promise<void> {
  return Promise.reject(new Error("not yet"));
}
