// Layers on top of images: an overlay keeps what commands change; where the store lies on a file
// system that can't be the upper part of one, the image is copied first.

import Glibc

enum Overlay {
  /// A path as the options of an overlay want it: a colon separates lower layers and a comma options.
  static func escape(_ path: String) -> String {
    path.replacing("\\", with: "\\\\").replacing(":", with: "\\:").replacing(",", with: "\\,")
  }

  /// The types of file systems that can't keep what an overlay writes: overlays themselves, as
  /// containers have for a root, and those of other machines.
  private static let unfit = [
    "overlay", "nfs", "nfs4", "9p", "virtiofs", "ecryptfs", "vfat", "fuse",
  ]

  /// Whether layers of overlays can be kept in this directory, or the closest above it that exists.
  static func canKeepLayers(in directory: String) -> Bool {
    guard let type = Disk.mount(of: directory)?.type else { return true }
    return !unfit.contains(type) && !type.hasPrefix("fuse.")
  }
}

extension ImageStore {
  /// What a layer with changes of this image lies on: nothing where it has to be a copy.
  func layerBase(_ image: Image) -> Image? {
    Overlay.canKeepLayers(in: directory) ? image : nil
  }

  /// Runs commands in an image. What they change is the site's root afterwards; or all of the
  /// image with the changes, where the store can't keep changes alone.
  func change(
    _ image: Image, by commands: BuildPlan, at site: LayerSite, _ what: String, _ work: StoreWork
  ) throws {
    var plan = commands
    if layerBase(image) == nil {
      let merged = site.scratch + "/merged"
      let copy = ["cp", "--archive", "--reflink=auto", merged + "/.", site.root]
      let copying = BuildPlan(
        place: .machine, root: merged, below: image.directories, attempts: [[copy]],
        environment: ToolRun.environment)
      try build(copying, at: site, "copying \(image.origin)", work)
    } else {
      plan.root = site.scratch + "/merged"
      plan.below = image.directories
      plan.upper = site.root
      plan.work = site.scratch + "/work"
    }
    try build(plan, at: site, what, work)
  }
}
