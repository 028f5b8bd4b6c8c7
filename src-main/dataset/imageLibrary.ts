/**
 * The image library, set up once for the whole process. One libvips thread per picture: many pictures are decoded at the same time instead
 * (whoever starts the process raises UV_THREADPOOL_SIZE). No cache: every file is read once. Vector and document formats are switched off,
 * because a file is told by its content and a picture named .png could otherwise be an SVG that reads other files.
 */
import sharp from 'sharp';

sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoadSvg', 'VipsForeignLoadPdf'] });

export { sharp };
