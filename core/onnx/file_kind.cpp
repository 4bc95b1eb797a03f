#include "core/onnx/file_kind.h"

#include <array>

namespace core {

std::string recognizedKind(std::string_view bytes)
{
    using namespace std::string_view_literals;
    struct Signature { std::size_t offset; std::string_view bytes; const char *kind; };
    static constexpr std::array signatures{
        Signature{0, "\x89PNG\r\n"sv, "a PNG image"},
        Signature{0, "\xFF\xD8\xFF"sv, "a JPEG image"},
        Signature{0, "GIF8"sv, "a GIF image"},
        Signature{0, "BM"sv, "a BMP image"},
        Signature{0, "II*\0"sv, "a TIFF image"},
        Signature{8, "WEBP"sv, "a WebP image"},
        Signature{0, "%PDF"sv, "a PDF document"},
        Signature{0, "PK\x03\x04"sv, "a ZIP archive (a PyTorch or Keras file?); export the network as ONNX first"},
        Signature{0, "\x1F\x8B"sv, "compressed with gzip; unpack it first"},
        Signature{0, "\xFD" "7zXZ\0"sv, "compressed with xz; unpack it first"},
        Signature{0, "BZh"sv, "compressed with bzip2; unpack it first"},
        Signature{0, "(\xB5/\xFD"sv, "compressed with zstd; unpack it first"},
        Signature{257, "ustar"sv, "a tar archive; unpack it first"},
        Signature{0, "\x89HDF\r\n"sv, "an HDF5 file (a Keras model?); export the network as ONNX first"},
        Signature{4, "TFL3"sv, "a TensorFlow Lite model; export the network as ONNX first"},
        Signature{4, "ORTM"sv, "in ONNX Runtime's own ORT format; convert the .onnx file it was made from"},
        Signature{0, "\x80\x02"sv, "a Python pickle (an old PyTorch file?); export the network as ONNX first"},
        Signature{0, "\x93NUMPY"sv, "a NumPy array"},
        Signature{0, "\x7F" "ELF"sv, "a program"},
        Signature{0, "version https://git-lfs"sv, "a Git LFS pointer; fetch the real file with 'git lfs pull'"},
        Signature{0, "<?xml"sv, "an XML document (an OpenVINO model?); export the network as ONNX first"},
        Signature{0, "<!DOCTYPE"sv, "a web page"},
        Signature{0, "<html"sv, "a web page"},
        Signature{0, "{"sv, "text (JSON?)"},
    };
    for (const Signature &signature : signatures) {
        if (bytes.size() >= signature.offset + signature.bytes.size()
            && bytes.substr(signature.offset, signature.bytes.size()) == signature.bytes)
            return signature.kind;
    }
    return {};
}

} // namespace core
