/**
 * The part of quickhull3d that is used. Its bundle is imported, not its entry: that of 3.1.2 imports files without their
 * endings, which Node does not find, and takes the logger `debug` with it, which the bundle leaves out.
 */
declare module 'quickhull3d/dist/quickhull3d.js' {
  /** Faces of the convex hull as indices of points, counter-clockwise from outside. Without triangulation, what lies in one plane is one face. */
  // biome-ignore lint/style/noDefaultExport: the package has it so
  export default function quickHull(
    points: [number, number, number][],
    options?: { readonly skipTriangulation?: boolean },
  ): number[][];
}
