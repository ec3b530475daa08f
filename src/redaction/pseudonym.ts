/**
 * Another value of the same form: digits for digits, letters for letters of the same case, everything else as it was; an
 * address keeps its `@` and gets the host `example.com`. Check digits are not made to fit, so that it is nobody's number.
 */
export function pseudonymOf(entity: string, value: string, bytes: (block: number) => Uint8Array): string {
  const at = entity === 'EMAIL_ADDRESS' ? value.lastIndexOf('@') : -1;
  const source = at > 0 ? value.slice(0, at) : value;
  let name = '';
  let used = 0;
  let block = bytes(0);
  for (const unit of source) {
    if (used > 0 && used % block.length === 0) block = bytes(used / block.length);
    const byte = block[used % block.length] as number;
    const other = replacement(unit, byte);
    if (other !== unit) used++;
    name += other;
  }
  return at > 0 ? `${name}@example.com` : name;
}

function replacement(unit: string, byte: number): string {
  if (/[0-9]/.test(unit)) return String((Number(unit) + 1 + (byte % 9)) % 10);
  if (/[a-z]/.test(unit)) return shifted(unit, 97, byte);
  if (/[A-Z]/.test(unit)) return shifted(unit, 65, byte);
  return /\p{L}/u.test(unit) ? String.fromCharCode(97 + (byte % 26)) : unit;
}

const shifted = (unit: string, first: number, byte: number): string =>
  String.fromCharCode(first + ((unit.charCodeAt(0) - first + 1 + (byte % 25)) % 26));
