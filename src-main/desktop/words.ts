/** The shell's own words, in the interface's three languages: menu, dialogs and notifications stand outside of the page and its catalogues. */

const english = {
  file: '&File', newWindow: 'New Window', openModel: 'Open a Model…', addImages: 'Add Images…', openWorkspace: 'Open a Workspace…', showInFolder: 'Show Workspace in Folder',
  settings: 'Settings', view: '&View', jobs: 'Jobs', about: 'About Switchback', shortcuts: 'Keyboard Shortcuts', copyDiagnostics: 'Copy Diagnostics', showLog: 'Show Log File', checkForUpdates: 'Check for Updates…',
  chooseModel: 'Open a model', chooseImages: 'Choose a folder of images', chooseWorkspace: 'Open a workspace', choosePack: 'Pack the workspace', models: 'Models', packs: 'Packed workspaces', allFiles: 'All files',
  coreGone: 'Switchback’s core has stopped and does not come back', startAgain: 'Start Again', quit: 'Quit', pageGone: 'The page has crashed', reload: 'Reload', close: 'Close Window',
  pageHangs: 'The page does not respond', wait: 'Wait', camera: 'May Switchback use the camera?', cameraDetail: 'The image lab shows what the network sees. Pictures stay on this machine.', allow: 'Allow', refuse: 'Don’t Allow',
  done: 'Done', failed: 'Failed', paused: 'Paused', stillRunning: 'A job is still running', stillRunningDetail: 'What is done stays; it can go on next time.', closeAnyway: 'Close', cancel: 'Cancel', newest: 'This is the newest version.', download: 'Download',
};

export type Words = Readonly<Record<keyof typeof english, string>>;

const korean: Words = {
  file: '파일(&F)', newWindow: '새 창', openModel: '모델 열기…', addImages: '이미지 추가…', openWorkspace: '작업 공간 열기…', showInFolder: '작업 공간을 폴더에서 보기',
  settings: '설정', view: '보기(&V)', jobs: '작업', about: 'Switchback 정보', shortcuts: '단축키', copyDiagnostics: '진단 정보 복사', showLog: '로그 파일 보기', checkForUpdates: '업데이트 확인…',
  chooseModel: '모델 열기', chooseImages: '이미지 폴더 선택', chooseWorkspace: '작업 공간 열기', choosePack: '작업 공간 묶기', models: '모델', packs: '묶은 작업 공간', allFiles: '모든 파일',
  coreGone: 'Switchback 코어가 멈춘 뒤 다시 시작되지 않습니다', startAgain: '다시 시작', quit: '종료', pageGone: '페이지가 비정상 종료되었습니다', reload: '새로 고침', close: '창 닫기',
  pageHangs: '페이지가 응답하지 않습니다', wait: '기다리기', camera: '카메라를 사용할까요?', cameraDetail: '이미지 실험실에서 네트워크가 보는 것을 보여 줍니다. 사진은 이 컴퓨터를 벗어나지 않습니다.', allow: '허용', refuse: '허용 안 함',
  done: '완료', failed: '실패', paused: '일시 중지', stillRunning: '아직 실행 중인 작업이 있습니다', stillRunningDetail: '지금까지의 결과는 남아 있고, 다음에 이어서 할 수 있습니다.', closeAnyway: '닫기', cancel: '취소', newest: '최신 버전입니다.', download: '내려받기',
};

const chinese: Words = {
  file: '文件(&F)', newWindow: '新建窗口', openModel: '打开模型…', addImages: '添加图像…', openWorkspace: '打开工作区…', showInFolder: '在文件夹中显示工作区',
  settings: '设置', view: '视图(&V)', jobs: '任务', about: '关于 Switchback', shortcuts: '键盘快捷键', copyDiagnostics: '复制诊断信息', showLog: '显示日志文件', checkForUpdates: '检查更新…',
  chooseModel: '打开模型', chooseImages: '选择图像文件夹', chooseWorkspace: '打开工作区', choosePack: '打包工作区', models: '模型', packs: '打包的工作区', allFiles: '所有文件',
  coreGone: 'Switchback 核心进程已停止，且无法重新启动', startAgain: '重新启动', quit: '退出', pageGone: '页面已崩溃', reload: '重新加载', close: '关闭窗口',
  pageHangs: '页面没有响应', wait: '等待', camera: '允许 Switchback 使用摄像头吗？', cameraDetail: '图像实验室会显示网络看到的内容。图像不会离开本机。', allow: '允许', refuse: '不允许',
  done: '已完成', failed: '失败', paused: '已暂停', stillRunning: '还有任务正在运行', stillRunningDetail: '已完成的部分会保留，下次可以继续。', closeAnyway: '关闭', cancel: '取消', newest: '已是最新版本。', download: '下载',
};

/** The words of a language tag (BCP 47); English for one that has none. */
export function wordsFor(tag: string): Words {
  const base = tag.toLowerCase().split('-')[0];
  return base === 'ko' ? korean : base === 'zh' ? chinese : english;
}
