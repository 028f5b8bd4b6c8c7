/** Pictures that a person hands over: opened from a file, dropped on a view, or pasted into it. */
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import { toFailure } from '../api/failure.ts';
import { givePicture, isPicture } from '../api/givePicture.ts';
import type { PlainError } from '../../src-shared/errors.ts';
import { looksLikeModel } from './usePathChoice.ts';

export interface PictureGiving {
  readonly giving: Ref<boolean>;
  readonly failure: Ref<PlainError | null>;
  /** What was not done as it was asked for; empty where all was. */
  readonly note: Ref<string>;
  /** Of several files the first picture is taken, which `note` says; `failure` where there is none. A later call takes the place of one that is under way. */
  readonly give: (files: readonly File[]) => Promise<void>;
  /** Of a file field: it is emptied, so that the same file can be chosen again. */
  readonly chosenFile: (event: Event) => void;
}

/** `given` is called with the picture as the lab's calls name it. */
export function usePictureGiving(given: (picture: string) => void): PictureGiving {
  const { t } = useI18n();
  const giving = ref(false);
  const failure = ref<PlainError | null>(null);
  const note = ref('');
  let controller = new AbortController();

  async function give(files: readonly File[]): Promise<void> {
    const file = files.find(isPicture);
    if (file) return send(file, files.length);
    begin();
    failure.value = { code: 'BAD_REQUEST', message: t('givenPicture.none', { name: files[0]?.name ?? '', n: files.length }, files.length), data: { files: files.length } };
  }

  function begin(): AbortSignal {
    controller.abort();
    controller = new AbortController();
    failure.value = null;
    note.value = '';
    giving.value = false;
    return controller.signal;
  }

  async function send(file: File, of: number): Promise<void> {
    const signal = begin();
    giving.value = true;
    try {
      const { picture } = await givePicture(file, file.name, true, signal);
      if (of > 1) note.value = t('givenPicture.onlyFirst', { name: file.name, n: of });
      given(picture);
    } catch (thrown) {
      if (!signal.aborted) failure.value = toFailure(thrown);
    } finally {
      if (!signal.aborted) giving.value = false;
    }
  }

  /** Whatever a person picks by name is tried. */
  function chosenFile(event: Event): void {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    input.value = '';
    if (file) void send(file, 1);
  }

  return { giving, failure, note, give, chosenFile };
}

export interface PictureDrop {
  /** A file is held over the view. */
  readonly dropping: Ref<boolean>;
  readonly over: (event: DragEvent) => void;
  readonly drop: (event: DragEvent) => void;
}

/** Takes what is dropped where the two functions listen, and what is pasted anywhere while the component is there. */
export function usePictureDrop(give: (files: readonly File[]) => unknown): PictureDrop {
  const dropping = ref(false);

  function over(event: DragEvent): void {
    event.preventDefault();
    dropping.value = [...(event.dataTransfer?.items ?? [])].some(({ kind }) => kind === 'file');
  }

  /** Kept from the window, which would take a dropped file for a folder of images. A model or a folder is the window's on a desktop. */
  function drop(event: DragEvent): void {
    dropping.value = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0 || (!files.some(isPicture) && isForWindow(event.dataTransfer!, files))) return;
    event.preventDefault();
    event.stopPropagation();
    give(files);
  }

  function paste(event: ClipboardEvent): void {
    const pictures = [...(event.clipboardData?.files ?? [])].filter(isPicture);
    if (pictures.length === 0) return;
    event.preventDefault();
    give(pictures);
  }

  onMounted(() => window.addEventListener('paste', paste));
  onBeforeUnmount(() => window.removeEventListener('paste', paste));
  return { dropping, over, drop };
}

function isForWindow({ items }: DataTransfer, files: readonly File[]): boolean {
  return window.switchbackDesktop !== undefined && (files.some(({ name }) => looksLikeModel(name)) || [...items].some((item) => item.webkitGetAsEntry()?.isDirectory === true));
}
