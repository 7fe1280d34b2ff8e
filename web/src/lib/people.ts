// What other clients tell of themselves in a connection's data, and how the page shows it.

export interface Identity {
  name: string;
  /** The connection whose screen this one shows; '' for a person. */
  screenOf: string;
}

/** The client data this page joins with: OpenVidu's own applications read clientData as the name. */
export function clientData(name: string, screenOf?: string): string {
  return JSON.stringify(screenOf ? { clientData: name, screenOf } : { clientData: name });
}

/** Reads "client%/%server" data, written by this page or by any other application. */
export function identityIn(data: string): Identity {
  const client = (data.split('%/%')[0] ?? '').trim();
  try {
    const read: unknown = JSON.parse(client);
    if (read !== null && typeof read === 'object') {
      const fields = read as Record<string, unknown>;
      const name = [fields['clientData'], fields['name'], fields['nickname']].find((v) => typeof v === 'string');
      const owner = fields['screenOf'];
      return { name: shown(name as string | undefined), screenOf: typeof owner === 'string' ? owner : '' };
    }
  } catch {
    // plain text is a name too
  }
  return { name: shown(client), screenOf: '' };
}

const LONGEST = 60;

function shown(name: string | undefined): string {
  return (name ?? '').trim().slice(0, LONGEST) || 'Guest';
}

/** One or two letters for the place of a missing picture. */
export function initials(name: string): string {
  const words = name.split(/[\s_.-]+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return letters.map((w) => [...(w ?? '')][0] ?? '').join('').toUpperCase() || '?';
}

/** A hue in degrees that stays with a name. */
export function hue(name: string): number {
  let sum = 7;
  for (const c of name) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) % 360;
  return sum;
}
