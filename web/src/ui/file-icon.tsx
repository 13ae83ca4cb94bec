import {
  IconFile,
  IconFileCode,
  IconFileMusic,
  IconFileText,
  IconFileTypePdf,
  IconFileZip,
  IconFolder,
  IconMovie,
  IconPhoto,
  type Icon as TablerIcon,
} from '@tabler/icons-react';
import { splitName } from '@/lib/path';

const kinds: [TablerIcon, string][] = [
  [IconPhoto, 'jpg jpeg png gif webp avif heic svg bmp tif tiff raw'],
  [IconMovie, 'mp4 mov mkv webm avi m4v mpg'],
  [IconFileMusic, 'mp3 flac wav ogg m4a aac opus'],
  [IconFileZip, 'zip gz tgz xz bz2 7z rar zst tar'],
  [IconFileTypePdf, 'pdf'],
  [IconFileText, 'txt md doc docx odt rtf csv xls xlsx ods log'],
  [IconFileCode, 'go ts tsx js jsx py rs c h cpp java html css json yaml yml toml sh sql s mod'],
];
const byEnding = new Map<string, TablerIcon>(
  kinds.flatMap(([icon, endings]) => endings.split(' ').map((e) => [`.${e}`, icon] as const)),
);

export function iconOf(name: string, folder: boolean): TablerIcon {
  if (folder) return IconFolder;
  const ending = splitName(name)[1].toLowerCase();
  return ending.startsWith('.tar.') ? IconFileZip : (byEnding.get(ending) ?? IconFile);
}
