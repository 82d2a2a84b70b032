// Archives: still to be unpacked.
extension ImageStore {
  func archiveImage(_ path: String, _ work: StoreWork) throws -> Image {
    throw LabError("archives are not unpacked yet")
  }
  func engineImage(_ name: String, _ work: StoreWork) throws -> Image {
    throw LabError("archives are not unpacked yet")
  }
}
