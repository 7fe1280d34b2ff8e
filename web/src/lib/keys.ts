// The keyboard shortcuts of a call.

export type Shortcut = 'm' | 'v' | 'c' | 'Escape';

interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
}

/** The shortcut a key press means; undefined while someone is writing or the browser is meant. */
export function shortcutOf(press: Press, writing: boolean): Shortcut | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey || press.repeat) return undefined;
  if (press.key === 'Escape') return 'Escape';
  const key = press.key.toLowerCase();
  return !writing && (key === 'm' || key === 'v' || key === 'c') ? key : undefined;
}

export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}
