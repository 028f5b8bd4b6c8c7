/** Pictures that a person hands over: opened from a file, dropped on a view, or pasted into it. */
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue';
import { toFailure } from '../api/failure.ts';
import { firstPicture, givePicture } from '../api/givePicture.ts';
import type { PlainError } from '../../src-shared/errors.ts';

export interface PictureGiving {
  readonly giving: Ref<boolean>;
  readonly failure: Ref<PlainError | null>;
  readonly give: (file: File) => Promise<void>;
  /** Of a file field: it is emptied, so that the same file can be chosen again. */
  readonly chosenFile: (event: Event) => void;
}

/** `given` is called with the picture as the lab's calls name it. */
export function usePictureGiving(given: (picture: string) => void): PictureGiving {
  const giving = ref(false);
  const failure = ref<PlainError | null>(null);

  async function give(file: File): Promise<void> {
    giving.value = true;
    failure.value = null;
    try {
      given((await givePicture(file, file.name, true)).picture);
    } catch (thrown) {
      failure.value = toFailure(thrown);
    } finally {
      giving.value = false;
    }
  }

  function chosenFile(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = '';
    if (file) void give(file);
  }

  return { giving, failure, give, chosenFile };
}

export interface PictureDrop {
  /** A file is held over the view. */
  readonly dropping: Ref<boolean>;
  readonly over: (event: DragEvent) => void;
  readonly drop: (event: DragEvent) => void;
}

/** Takes what is dropped where the two functions listen, and what is pasted anywhere while the component is there. */
export function usePictureDrop(give: (file: File) => unknown): PictureDrop {
  const dropping = ref(false);

  function over(event: DragEvent): void {
    event.preventDefault();
    dropping.value = [...(event.dataTransfer?.items ?? [])].some(({ kind }) => kind === 'file');
  }

  /** Kept from the window, which would take a dropped file for a folder of images. */
  function drop(event: DragEvent): void {
    dropping.value = false;
    const file = firstPicture(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    give(file);
  }

  function paste(event: ClipboardEvent): void {
    const file = firstPicture(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    give(file);
  }

  onMounted(() => window.addEventListener('paste', paste));
  onBeforeUnmount(() => window.removeEventListener('paste', paste));
  return { dropping, over, drop };
}
