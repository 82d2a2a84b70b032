// Making ready what a start would wait for: images, and what compositions build.

import Glibc

extension Lab {
  /// Makes the images of a composition ready; nothing is started.
  public func build(
    _ settings: LabSettings, program: String, progress: @escaping (LabProgress) -> Void
  ) throws {
    let backend = try settings.backend.backend(for: self)
    try backend.check(settings)
    let lock = try LabLock(making: paths.directory)
    defer {
      // Gone with what was in it only for the build; a lab that is there stays.
      rmdir(paths.directory)
      lock.release()
    }
    let executable = open(program, O_RDONLY | O_CLOEXEC)
    guard executable >= 0 else { throw LabError.system("open", program) }
    defer { close(executable) }
    try Startup(
      lab: self, settings: settings, backend: backend, program: program, executable: executable,
      timeout: 0, progress: progress
    ).prepareRoots()
  }
}
