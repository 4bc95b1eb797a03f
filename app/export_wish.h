// What the user wants written.
#pragma once

#include "core/session/session.h"

#include <QString>

namespace app {

struct ExportWish {
    QString folder, fileName;
    bool judge = true;           ///< let ONNX Runtime run the file too
    bool torchScript = false;    ///< a .pt beside the .onnx
    int trainedRun = -1;         ///< the run whose trained weights it is to be; −1 = the present settings, quantized after training
};

inline void setWish(core::QuantizeRequest &request, const ExportWish &wish)
{
    request.outputDirectory = wish.folder.toStdString();
    request.fileName = wish.fileName.toStdString();
    request.judge = wish.judge;
    request.torchScript = wish.torchScript;
}

} // namespace app
