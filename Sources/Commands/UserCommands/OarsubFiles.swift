// What `oarsub` reads and checks on the host where it is called: directory, script, parameter file.

import CommandLine
import Glibc
import RequestLanguage
import Wire

/// A script or parameter file may have at most so many bytes.
let inputFileLimit = 64 << 20

/// The directory that a job is to run in: absolute, and one that the user can enter.
///
/// - Parameter asked: as given with `-d`; `nil` for the present one.
func workingDirectory(_ asked: String?, in context: CommandContext) throws(CommandFailure) -> String
{
  var path = asked ?? ""
  if !path.hasPrefix("/") {
    let here = try presentDirectory(in: context)
    path = path.isEmpty || path == "." ? here : (here == "/" ? "/" : here + "/") + path
  }
  var status = stat()
  var code = stat(path, &status) == 0 ? 0 : errno
  if code == 0, status.st_mode & S_IFMT != S_IFDIR { code = ENOTDIR }
  if code == 0, access(path, X_OK) != 0 { code = errno }
  guard code == 0 else {
    throw CommandFailure(
      8, "[ERROR] Cannot enter the directory \(shortened(path)): \(systemText(code)).",
      "Give one that you can enter with -d, here and on the job's hosts.")
  }
  return path
}

/// The present directory as the user's shell calls it, if that is true, so that links stay as they are.
private func presentDirectory(in context: CommandContext) throws(CommandFailure) -> String {
  var here = stat()
  var named = stat()
  if let name = context.variable("PWD"), name.hasPrefix("/"), stat(name, &named) == 0,
    stat(".", &here) == 0, named.st_ino == here.st_ino, named.st_dev == here.st_dev
  {
    return name
  }
  guard let path = getcwd(nil, 0) else {
    let code = errno
    throw CommandFailure(
      8, "[ERROR] Cannot tell the present directory: \(systemText(code)).",
      "Change to one that exists, or give one with -d.")
  }
  defer { free(path) }
  return String(cString: path)
}

/// The lines of a parameter file that make jobs.
func arrayParameters(_ file: String) throws(CommandFailure) -> [String] {
  let text: String
  do { text = try fileText(file) } catch {
    throw CommandFailure(
      12, "[ERROR] Cannot open the parameter file \(shortened(file)).", "\(error.reason).")
  }
  do { return try parameterLines(text) } catch {
    throw CommandFailure(error.kind == .missing ? 6 : 12, "[ERROR] \(shortened(file)): \(error)")
  }
}

/// Why a file can't be read.
struct UnreadableInput: Error {
  var reason: String
}

/// The text of a file.
func fileText(_ path: String) throws(UnreadableInput) -> String {
  do { return String(decoding: try readFile(path, limit: inputFileLimit), as: UTF8.self) } catch {
    switch error {
    case .system(let code): throw UnreadableInput(reason: systemText(code))
    case .tooLong:
      throw UnreadableInput(reason: "it is longer than \(inputFileLimit >> 20) MiB")
    }
  }
}

/// What the system says of an error number.
func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }
