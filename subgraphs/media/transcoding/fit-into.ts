/** A filter that fits a film into a box without making it larger, with the even sizes that 4:2:0 needs. */
export function fitInto({ width, height }: { width: number; height: number }): string {
  const box = `w='max(2,min(${width},iw))':h='max(2,min(${height},ih))'`;
  return `scale=${box}:force_original_aspect_ratio=decrease:force_divisible_by=2`;
}
