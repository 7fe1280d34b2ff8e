// What the page remembers on this device. A browser that keeps nothing is no error.

export interface Prefs {
  name: string;
  camera: string; // device ids
  mic: string;
}

const KEY = 'tertulia';

export function load(): Prefs {
  const none: Prefs = { name: '', camera: '', mic: '' };
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return kept !== null && typeof kept === 'object' ? { ...none, ...kept } : none;
  } catch {
    return none;
  }
}

export function save(prefs: Prefs): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // private window
  }
}
