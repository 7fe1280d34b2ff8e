// The chat of a call as a reducer: what was said, and how much of it was not seen yet.

export interface Message {
  id: number;
  from: string; // connection id
  name: string;
  text: string;
  mine: boolean;
  at: number; // ms since the epoch
}

export interface Chat {
  open: boolean;
  unread: number;
  messages: readonly Message[];
}

export type ChatAction =
  | { type: 'said'; from: string; name: string; text: string; mine: boolean; at: number }
  | { type: 'opened' }
  | { type: 'closed' };

export const emptyChat: Chat = { open: false, unread: 0, messages: [] };

const KEPT = 500; // messages; a call's chat is not an archive
export const LONGEST_MESSAGE = 2000; // characters

export function reduceChat(chat: Chat, action: ChatAction): Chat {
  switch (action.type) {
    case 'opened':
      return { ...chat, open: true, unread: 0 };
    case 'closed':
      return { ...chat, open: false };
    case 'said': {
      const text = action.text.trim().slice(0, LONGEST_MESSAGE);
      if (text === '') return chat;
      const message = { ...action, text, id: (chat.messages.at(-1)?.id ?? 0) + 1 };
      const seen = chat.open || action.mine;
      return {
        ...chat,
        messages: [...chat.messages, message].slice(-KEPT),
        unread: seen ? chat.unread : chat.unread + 1,
      };
    }
  }
}

/** Signal data as OpenVidu's own chat writes it. */
export function chatData(text: string, nickname: string): string {
  return JSON.stringify({ message: text.trim().slice(0, LONGEST_MESSAGE), nickname });
}

/** Reads signal data of this page, of OpenVidu's components, or plain text. */
export function textIn(data: string): string {
  try {
    const read: unknown = JSON.parse(data);
    if (read !== null && typeof read === 'object' && 'message' in read && typeof read.message === 'string') {
      return read.message;
    }
  } catch {
    // plain text
  }
  return data;
}

/** Whether a message follows the one before it so closely that its name need not be told again. */
export function continues(message: Message, before: Message | undefined): boolean {
  return before !== undefined && before.from === message.from && message.at - before.at < 120_000;
}

export type Piece = { text: string; href?: string };

/** Splits text at its http(s) addresses, so that they can be shown as links. */
export function pieces(text: string): Piece[] {
  return text
    .split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'])/g)
    .filter(Boolean)
    .map((part) => (/^https?:\/\//.test(part) ? { text: part, href: part } : { text: part }));
}
