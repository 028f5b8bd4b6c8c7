/** Hands a picture to the core: a dropped or pasted file, or a camera's frame. */
import { contactingFetch } from './contact.ts';
import { labUploadUrl, largestUploadBytes } from '../../src-shared/contract/labMedia.ts';
import { AppError, type PlainError } from '../../src-shared/errors.ts';

export interface GivenPicture {
  /** What the lab's calls take. */
  readonly picture: string;
  readonly name: string;
}

/**
 * @param kept false for a frame, which the workspace forgets
 * @throws PlainError as the core sent it, or because the file is too large; TypeError when the core is away
 */
export async function givePicture(bytes: Blob, name: string, kept: boolean, signal?: AbortSignal): Promise<GivenPicture> {
  if (bytes.size > largestUploadBytes) {
    const limit = largestUploadBytes / 2 ** 20;
    throw new AppError('BAD_REQUEST', `${name} is larger than ${limit} MB. Give a smaller picture.`, { limit });
  }
  const response = await contactingFetch(labUploadUrl({ name: name.slice(-255) || 'picture', kept }), { method: 'POST', body: bytes, ...(signal ? { signal } : {}) });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as GivenPicture;
}

/** By its type or its name, which is all that can be said before it is read. */
export function isPicture({ type, name }: File): boolean {
  return type.startsWith('image/') || /\.(jpe?g|png|webp|gif|tiff?|avif|bmp|ico|heic|jxl)$/i.test(name);
}

async function refusal(response: Response): Promise<PlainError> {
  try {
    return (await response.json()) as PlainError;
  } catch {
    return { code: 'INTERNAL', message: `The picture was not taken: the core answered ${response.status}.`, data: { status: response.status } };
  }
}
