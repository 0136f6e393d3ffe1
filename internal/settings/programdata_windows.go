package settings

import "golang.org/x/sys/windows"

// programData asks the system, because a variable is the person's to change.
func programData() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return ""
	}
	return dir
}
