export { FilesPage } from './page';
